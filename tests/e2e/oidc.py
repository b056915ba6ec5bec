"""A stand-in OIDC issuer: discovery document and key set over HTTPS, tokens signed on demand. Needs only openssl."""
import base64
import http.server
import json
import ssl
import subprocess
import threading
import time


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(obj):
    return json.dumps(obj, separators=(",", ":")).encode()


class Issuer:
    """key: PEM file with an RSA key; cert, cert_key: TLS certificate for 127.0.0.1."""

    def __init__(self, key, cert, cert_key, port=0):
        self.key = key
        modulus = subprocess.run(["openssl", "rsa", "-in", key, "-noout", "-modulus"], capture_output=True, check=True)
        n = bytes.fromhex(modulus.stdout.decode().strip().partition("=")[2])
        self.jwks = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1", "n": b64(n), "e": "AQAB"}]}
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers the two documents, 404 for the rest."""
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                doc = issuer.documents().get(self.path)
                body = json.dumps(doc).encode()
                self.send_response(200 if doc else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, cert_key)
        # The handshake happens in the connection's own thread: a client that never speaks must not block accept.
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = "https://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def documents(self):
        return {
            "/keys": self.jwks,
            "/.well-known/openid-configuration": {
                "issuer": self.url, "jwks_uri": self.url + "/keys", "authorization_endpoint": self.url + "/auth",
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        }

    def token(self, sub, groups=(), aud="kubernetes", ttl=3600, header=None, key=None, **claims):
        """Every field can be overridden, so tests can also make tokens that must be refused."""
        now = int(time.time())
        head = {"alg": "RS256", "typ": "JWT", "kid": "k1", **(header or {})}
        body = {"iss": self.url, "aud": aud, "sub": sub, "groups": list(groups), "iat": now, "exp": now + ttl, **claims}
        signed = b64(compact(head)) + "." + b64(compact(body))
        sign = ["openssl", "dgst", "-sha256", "-sign", key or self.key]
        return signed + "." + b64(subprocess.run(sign, input=signed.encode(), capture_output=True, check=True).stdout)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
