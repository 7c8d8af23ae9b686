import ssl
import stat
from dataclasses import replace

from cryptography import x509

from strongroom_node.config.schema import development_config
from strongroom_node.server.development import make_certificates, random_root_token, with_tls


def test_the_certificate_is_signed_by_the_ca_and_names_the_machine(tmp_path):
    made = make_certificates(str(tmp_path / "tls"), ["vault.test", "10.1.2.3"])
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    own = x509.load_pem_x509_certificate((made.folder / "vault-cert.pem").read_bytes())
    own.verify_directly_issued_by(ca)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "vault.test"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "10.1.2.3"]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    ssl.create_default_context(cafile=made.ca)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in made.folder.iterdir())
    made.remove()
    assert made.ca.exists()  # the operator named the folder


def test_a_temporary_folder_goes_away(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    made = make_certificates("", [])
    assert made.folder.parent == tmp_path
    made.remove()
    assert not made.folder.exists()
    listener = with_tls(development_config(), made).listeners[0]
    assert not listener.tls_disable
    assert replace(listener, tls_disable=True).tls_cert_file.endswith("vault-cert.pem")


def test_root_tokens_differ():
    assert random_root_token() != random_root_token()
    assert random_root_token().startswith("hvs.")
    assert len(random_root_token()) == 28
