"""Throw-away certificates, made with the openssl command."""
import os
import ssl
import subprocess


def openssl(*args, **kw):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, **kw).stdout


class Authority:
    """A CA in a folder; its certificates are `pem` pairs of file names."""

    def __init__(self, folder, name):
        self.folder, self.name = str(folder), name
        self.cert, self.key = self._path("crt"), self._path("key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=" + name, "-keyout", self.key, "-out", self.cert,
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def _path(self, suffix, name=None):
        return os.path.join(self.folder, "%s.%s" % (name or self.name, suffix))

    def issue(self, name, alt_names, rsa=False, days="30", subject=None, usage="serverAuth"):
        """(certificate file, key file) for a server called by alt_names, as DNS:a,IP:b."""
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        cert, key = self._path("crt", name), self._path("key", name)
        openssl("req", "-x509", "-newkey", *kind, "-nodes", "-days", days, "-subj", subject or "/CN=" + name,
                "-keyout", key, "-out", cert, "-CA", self.cert, "-CAkey", self.key,
                "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=" + alt_names,
                "-addext", "extendedKeyUsage=" + usage)
        return cert, key

    def issue_ended(self, name, alt_names):
        """The same, but good for this second only."""
        cert, key = self._path("crt", name), self._path("key", name)
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                          "-subj", "/CN=" + name, "-keyout", key, "-addext", "subjectAltName=" + alt_names)
        openssl("x509", "-req", "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "0",
                "-copy_extensions", "copy", "-out", cert, input=request)
        return cert, key

    def text(self):
        with open(self.cert, encoding="ascii") as f:
            return f.read()


def server_context(pair):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(*pair)
    return ctx


def client_context(ca, alpn=(), lowest=None, highest=None, check_name=False):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.load_verify_locations(ca.cert)
    ctx.check_hostname = check_name
    if alpn:
        ctx.set_alpn_protocols(list(alpn))
    if lowest:
        ctx.minimum_version = lowest
    if highest:
        ctx.maximum_version = highest
    return ctx
