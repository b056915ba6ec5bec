# loopback.sh - what the load benchmarks share: keys, a token, an API server
# that always says yes, and the configuration of a gateway before it.
#
# Sourced by them, which set work and loops; leaves the shell in $work, with
# token set, nginx at 17444 and gateway.yaml for 17443.
cd "$work" || exit 1

certificate() { # NAME ARGUMENTS...
	name=$1
	shift
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 2 -subj "/CN=$name" -keyout "$name.key" -out "$name.crt" \
		-addext subjectAltName=IP:127.0.0.1,DNS:localhost "$@" 2>/dev/null
}

certificate ca -addext basicConstraints=critical,CA:TRUE
certificate front -CA ca.crt -CAkey ca.key
certificate back -CA ca.crt -CAkey ca.key
cat front.crt front.key >front.pem
python3 "$demo/token.py" . keys
token=$(python3 "$demo/token.py" . token alice developers)
cp "$demo/authentication.yaml" .
cat >gateway.yaml <<X
apiVersion: kube-access-gateway/v1alpha1
kind: Gateway
workers: $loops
listeners:
  - {address: "127.0.0.1:17443", tls: {certificates: [{certFile: front.crt, keyFile: front.key}]}}
clusters:
  - name: bench
    authorizedRanges: {cidrs: [127.0.0.0/8]}
    upstream: {servers: ["https://127.0.0.1:17444"], caFile: ca.crt}
    authentication: {configFile: authentication.yaml, jwksFiles: {"https://issuer.example.com": keys.json}}
    authorization: {order: [upstream]}
audit: {file: audit.log}
X
cat >nginx.conf <<X
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log stderr;
events { worker_connections 4096; }
http {
	access_log off;
	keepalive_requests 100000000;
	keepalive_timeout 300s;
	server {
		listen 127.0.0.1:17444 ssl;
		ssl_certificate back.crt;
		ssl_certificate_key back.key;
		location / { default_type application/json; return 200 '{"kind":"PodList","apiVersion":"v1","items":[]}'; }
	}
}
X
nginx -c "$work/nginx.conf" -p "$work" 2>nginx.log & pids="$pids $!"
