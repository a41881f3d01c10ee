#include "report/causes.h"

/* Where the parts of the handshake are that findings are about. */
#define AT_HELLO "in the first flights, ClientHello and ServerHello"
#define AT_CHAIN "after the peer's Certificate message"

static const struct explain_advice clock_early = {
    AT_CHAIN,
    "The board's clock is not set: 2000 (esp32), 2015 (stm32), 2021 (rp2).\n"
    "The certificate was issued just now, and the clocks differ a little.",
    "Set the clock before the handshake, with ntptime.settime(), and keep it "
    "over a deep sleep.",
    "Nothing; for clocks that lag a little, begin a certificate a day early.",
};
static const struct explain_advice clock_late = {
    AT_CHAIN,
    "The certificate was not renewed, or the server not restarted after it.\n"
    "An intermediate or root certificate has run out.\n"
    "The clock is fast, or was set to a wrong year.",
    "Check the clock; if the CA in cadata has run out, put the new one there.",
    "Renew what has run out, look at the intermediates, reload the server.",
};
static const struct explain_advice only_in_cn = {
    AT_CHAIN,
    "The certificate was made with a subject only (openssl req -subj).\n"
    "It is from before 2017, when common names still counted.",
    "A board takes this certificate all the same: its Mbed TLS looks at the "
    "common name where there is no subjectAltName.",
    "Put the name into subjectAltName: openssl req ... -addext "
    "subjectAltName=DNS:NAME.",
};
static const struct explain_advice address_as_name = {
    AT_CHAIN,
    "An address was written as DNS:192.0.2.1 in place of IP:192.0.2.1.",
    "Connect to a name that the certificate has, or pass that name as "
    "server_hostname.",
    "Write subjectAltName=IP:ADDRESS; then boards with Mbed TLS 3.5 or later "
    "(MicroPython 1.23) match it.",
};
static const struct explain_advice wrong_order = {
    AT_CHAIN,
    "The files were joined in the wrong order.\n"
    "The CA's certificate was given as the server's own.",
    "Nothing: the peer's chain is at fault. As a server, put the leaf first "
    "into cert.",
    "The server's own certificate first, then the one that signed it, and so "
    "on; the root may be left out.",
};
static const struct explain_advice self_signed = {
    AT_CHAIN,
    "It is a certificate for tests, and was not given as what is trusted.\n"
    "The server has its first, automatic certificate.\n"
    "Another server or a proxy answers.",
    "Give this very certificate as cadata, in DER; then it is its own CA.",
    "Have a CA sign a certificate, or keep this one and give it to all "
    "clients.",
};
static const struct explain_advice missing = {
    AT_CHAIN,
    "The server sends only its own certificate; browsers fetch the rest, and "
    "hide it.\n"
    "The intermediate has been replaced at a renewal, the file has not.",
    "If the server cannot be changed, give the intermediate as cadata; a "
    "board fetches nothing.",
    "Send the whole chain: cert.pem and the intermediate in one file, which "
    "many CAs call fullchain.pem.",
};
static const struct explain_advice ca_is_leaf = {
    AT_CHAIN,
    "The server's own certificate was copied as the CA.\n"
    "A CA was made without basicConstraints CA:TRUE.",
    "Give as cadata the root or the intermediate that signed the server's "
    "certificate.",
    "Nothing, unless the CA is yours: make it with -addext "
    "basicConstraints=critical,CA:TRUE.",
};
static const struct explain_advice ca_other_key = {
    AT_CHAIN,
    "The CA was made anew with the same name.\n"
    "The file is an older or a cross-signed version of the CA.\n"
    "Someone imitates the CA.",
    "Give as cadata the CA that signed the chain in use; compare their "
    "SHA-256.",
    "Issue the server's certificate anew with the CA that the boards have.",
};
static const struct explain_advice too_long = {
    AT_CHAIN,
    "A CA that may only sign end certificates (pathlen:0) has signed a CA.",
    "Trust the CA that signed the server's certificate, if that is safe "
    "enough.",
    "Have the certificate signed by a CA that stands nearer to the root, or "
    "the CA made anew with a larger pathlen.",
};
static const struct explain_advice not_ca = {
    AT_CHAIN,
    "The CA was made without basicConstraints CA:TRUE, or without keyUsage "
    "keyCertSign.\n"
    "Someone signs with a certificate that is not made for it.",
    "Nothing: no library takes such a chain.",
    "Make the CA anew, with -addext basicConstraints=critical,CA:TRUE.",
};
static const struct explain_advice issuer_other_key = {
    AT_CHAIN,
    "The intermediate has been replaced, and the file has the other one.\n"
    "The CA was made anew with the same name.",
    "If the server cannot be changed, give the intermediate that signed its "
    "certificate as cadata.",
    "Send the intermediate that signed the certificate; the key identifiers "
    "tell which.",
};
static const struct explain_advice unknown_root = {
    AT_CHAIN,
    "Another CA was given.\n"
    "The server has changed its CA.\n"
    "A proxy that looks into TLS answers with a CA of its own.",
    "Give the chain's root as cadata: mptls check --print-cadata prints it.",
    "Nothing, or take a CA that the boards have.",
};
static const struct explain_advice purpose = {
    AT_CHAIN,
    "The certificate is for the other role: a client's used by a server, or "
    "the reverse.\n"
    "A CA certificate without the right to sign.",
    "Take a certificate that is made for this use.",
    "Issue it with extendedKeyUsage serverAuth for a server, clientAuth for a "
    "client, and keyUsage digitalSignature.",
};
static const struct explain_advice weak = {
    AT_CHAIN,
    "RSA under 2048 bits.\n"
    "A signature with SHA-1 or MD5.\n"
    "A curve under 256 bits.",
    "A board may take it: its limits are those of its firmware, often none. "
    "The certificate is still to be changed.",
    "Issue RSA 2048 or P-256, signed with SHA-256; the intermediates, too.",
};
static const struct explain_advice crl = {
    AT_CHAIN,
    "The CRL is out of date.\n"
    "It is another CA's, or its signature does not verify.",
    "Nothing: MicroPython reads no CRL.",
    "Publish a new CRL.",
};
static const struct explain_advice pin = {
    AT_CHAIN,
    "The server has a new key; many change it at each renewal.\n"
    "The pin is that of the certificate, and not of its public key.\n"
    "Someone in between has another certificate.",
    "Change the pin in the firmware; keep a second one for the next key.",
    "Keep the key when renewing, or announce the next pin in time.",
};
static const struct explain_advice unnecessary = {
    AT_CHAIN,
    "The root is sent, which clients have or do not trust anyway.\n"
    "A cross-signed certificate for old clients is sent.",
    "Nothing; but each certificate needs memory while it is read.",
    "Leave these certificates out of the chain's file.",
};
static const struct explain_advice cadata = {
    "before the handshake, when the CA is loaded",
    "MicroPython before 1.29 reads PEM on an esp32 only.\n"
    "It takes the first certificate, and ignores what follows.",
    "Give one certificate in DER: openssl x509 -in ca.pem -outform DER -out "
    "ca.der; mptls check --print-cadata writes it.",
    "Nothing: the peer has no part in it.",
};
static const struct explain_advice no_version = {
    AT_HELLO,
    "One end takes TLS 1.3 only, and MicroPython has 1.2 at most.\n"
    "One end has TLS 1.0 or 1.1 at most, and the other refuses those.",
    "Take newer firmware: MicroPython since 1.23 has TLS 1.2 only, an esp8266 "
    "1.2 and older.",
    "Allow TLS 1.2.",
};
static const struct explain_advice no_cipher = {
    AT_HELLO,
    "set_ciphers() or the server's list names too few suites.\n"
    "An esp8266 has RSA key exchange with AES-CBC only.\n"
    "Most ports got ECDHE-RSA and AES-GCM in MicroPython 1.24.\n"
    "The server has no certificate of the wanted type, or none at all.",
    "Do not call set_ciphers(), or name a suite that the server has.",
    "Allow ECDHE with AES-128-GCM; for an esp8266 "
    "TLS_RSA_WITH_AES_128_CBC_SHA and an RSA certificate.",
};
static const struct explain_advice no_group = {
    AT_HELLO,
    "The server takes one curve only, such as X25519 or P-384.\n"
    "The firmware was built with few curves.",
    "Build the firmware with P-256; most ports have it.",
    "Allow P-256 (secp256r1, prime256v1).",
};
static const struct explain_advice no_sig_alg = {
    AT_HELLO,
    "The certificate is signed with SHA-384 or RSA-PSS, which boards lack.\n"
    "The server's key is Ed25519.\n"
    "The server allows RSA-PSS only.",
    "Build the firmware with SHA-384 (MBEDTLS_SHA384_C) if that is it.",
    "Use a certificate and key for ecdsa_secp256r1_sha256 or "
    "rsa_pkcs1_sha256.",
};
static const struct explain_advice other_key = {
    AT_HELLO,
    "The server has an RSA key, and the client only ECDHE-ECDSA suites.\n"
    "The server has an EC key, and the client only RSA suites (esp8266).",
    "Take suites for the server's type of key.",
    "Add a certificate of the other type; many servers can have both.",
};
static const struct explain_advice no_name = {
    AT_HELLO,
    "server_hostname was not given, or an address was.\n"
    "The server chooses certificate and host by this name.",
    "Pass server_hostname to wrap_socket().",
    "Set a default certificate for clients without a name (SNI).",
};

static const struct explain_advice name_refused = {
    AT_HELLO,
    "The name is mistyped, or another of the server's own.\n"
    "The server, or a proxy before it, does not have this name yet.",
    "Pass a name that the server has as server_hostname.",
    "Give it a certificate and a host for this name, or a default.",
};
static const struct explain_advice intolerant = {
    AT_HELLO,
    "The server, or a box before it, is from before 2018 and breaks off at "
    "what it does not know.",
    "Nothing: MicroPython offers TLS 1.2 at most.",
    "Update it, or take the box away.",
};
static const struct explain_advice refuses_all = {
    AT_HELLO,
    "The server has no certificate, or none that it can use.\n"
    "It wants a pre-shared key.\n"
    "It does not want this client's address.\n"
    "The port is another service's.",
    "Check address and port; for a server with pre-shared keys set psk_key.",
    "Look at its own messages.",
};

static const struct explain_advice no_alpn = {
    AT_HELLO,
    "The client speaks another protocol above TLS than the server.\n"
    "The names differ in spelling: it is http/1.1, not http/1.0 or HTTP/1.1.",
    "Nothing: MicroPython offers no ALPN, and is never refused for it.",
    "Take the client's protocol, or ask for none.",
};

#define AT_LIMIT "where the device would fail"

static const struct explain_advice too_big = {
    AT_LIMIT,
    "The server sends the root and other certificates that nobody needs.\n"
    "Its chain has RSA keys, of 4096 bits even.\n"
    "The firmware was built with a small input buffer, to save memory.",
    "Build the firmware with a larger MBEDTLS_SSL_IN_CONTENT_LEN (ESP-IDF: "
    "CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN); 16384 takes all there is.",
    "Send only what leads to the root, with P-256 keys; "
    "max_fragment_length does not help against a long chain everywhere.",
};
static const struct explain_advice big_record = {
    AT_LIMIT,
    "The peer fills its records with all they hold, 16384 bytes.\n"
    "It does not honour max_fragment_length, which few servers do.",
    "Ask for less at a time, as with HTTP ranges; or a larger input buffer.",
    "Write in smaller pieces; with OpenSSL SSL_CTX_set_max_send_fragment().",
};
static const struct explain_advice big_message = {
    AT_LIMIT,
    "A ClientHello has a key share of a post-quantum group, of 1.2 kB.\n"
    "A CertificateRequest names all the CAs of a store.\n"
    "The firmware was built with a small input buffer, to save memory.",
    "Build the firmware with a larger MBEDTLS_SSL_IN_CONTENT_LEN; smaller "
    "records, as by max_fragment_length, do not help.",
    "Send less in the message: fewer key shares, fewer CAs, no tickets.",
};
static const struct explain_advice spread = {
    AT_LIMIT,
    "The server fragments its flight, as some do for a small path or by "
    "configuration.\n"
    "The chain is over 16384 bytes.",
    "Take MicroPython 1.29, whose Mbed TLS 3.6.6 joins them.",
    "Send handshake messages in one record; make the chain shorter.",
};
static const struct explain_advice too_big_ours = {
    AT_LIMIT,
    "Our chain has more certificates than the peer needs, or RSA keys.",
    "Load the certificate and the intermediates only, with P-256 keys.",
    "Take a certificate that a root has signed directly.",
};
static const struct explain_advice key_too_big = {
    AT_LIMIT,
    "RSA of 4096 bits, often in the root or a cross-signed intermediate: more "
    "than the hardware takes.\n"
    "A signature by RSASSA-PSS, which few firmwares read.",
    "ESP-IDF: set CONFIG_MBEDTLS_LARGE_KEY_SOFTWARE_MPI; trust another root "
    "that leads to the same server.",
    "Take a chain with P-256 or RSA 2048 keys; many CAs let one choose it.",
};
static const struct explain_advice no_heap = {
    AT_LIMIT,
    "Two record buffers of 16 KB take most of it.\n"
    "The board's allocator adds 8 or 16 bytes to each block, and what is free "
    "there is in pieces: it fails earlier still.\n"
    "A long chain, or RSA keys of 4096 bits, whose numbers need kilobytes.\n"
    "Several certificates are trusted, where one would do.",
    "gc.collect() before wrap_socket(), one CA only, connect early, close "
    "sockets; firmware with smaller record buffers.",
    "Send a short chain with P-256 keys.",
};

static const char WE[] = "we", NONE[] = "nobody";

static const struct explain_advice backend = {
    "after the client's handshake, when --forward connects",
    "What is to be forwarded to does not run.\n"
    "It listens on another address or port, or in another network namespace.\n"
    "A firewall between the two.",
    "Nothing: the client is not at fault.",
    "Start the backend; on this machine, try it with nc -v HOST PORT.",
};

/* Some findings share a row with a flag, whose key goes first. Those of
 * `nobody` are remarks, which do not tell why for certain. */
static const struct explain_cause rows[] = {
    { "why:1/clock-early", WE, &clock_early,
      "Only the time is wrong: our clock is before the chain's validity." },
    { "why:2/clock-late", WE, &clock_late,
      "Only the time is wrong: our clock is after the chain's validity." },
    { "why:4/name-only-in-cn", WE, &only_in_cn,
      "The name is the common name only, which no longer counts (RFC 9525)." },
    { "why:5/address-as-name", WE, &address_as_name,
      "The address is in the certificate, but written as a DNS name." },
    { "why:6/wrong-order", WE, &wrong_order,
      "The first certificate sent is not the server's own." },
    { "why:7/self-signed", WE, &self_signed,
      "The certificate is signed with its own key, and is not trusted." },
    { "why:8/missing-intermediate", WE, &missing,
      "The certificate's issuer was neither sent nor is it trusted." },
    { "why:9/ca-is-leaf", WE, &ca_is_leaf,
      "What is trusted is not a CA's certificate." },
    { "why:10/ca-other-key", WE, &ca_other_key,
      "What is trusted has the issuer's name, but another key." },
    { "why:11/unknown-root", WE, &unknown_root,
      "The chain is whole, up to a root that is not trusted." },
    { "why:12/wrong-purpose", WE, &purpose,
      "A certificate is not meant for what it is used for." },
    { "why:13/weak", WE, &weak, "A key or a hash is too weak." },
    { "why:15/crl", WE, &crl, "The CRL itself is not acceptable." },
    { "flag:0x1000000/pin-mismatch why:16/pin-mismatch exit:35", WE, &pin,
      "The public key is not the pinned one." },
    { "why:17/unnecessary", NONE, &unnecessary,
      "Certificates were sent that a client does without." },
    { "why:18/cadata-pem why:19/cadata-many", NONE, &cadata,
      "A board takes one certificate in DER as cadata." },
    { "why:20/path-too-long", WE, &too_long,
      "There are more CAs in the chain than one of them allows." },
    { "why:21/issuer-not-ca", WE, &not_ca,
      "A certificate is signed by one that is no CA's." },
    { "why:22/issuer-other-key", WE, &issuer_other_key,
      "The issuer that was sent has the right name, but another key." },
    { "why:23/backend-unreachable", WE, &backend,
      "This server cannot reach what it forwards to, and has closed the "
      "client's connection." },
    { "why:101/no-common-version", WE, &no_version,
      "No TLS version in common." },
    { "why:102/no-common-cipher", WE, &no_cipher,
      "No cipher suite in common." },
    { "why:103/no-common-group", WE, &no_group,
      "No group (curve) for the key exchange in common." },
    { "why:104/no-common-sig-alg", WE, &no_sig_alg,
      "No signature algorithm in common." },
    { "why:105/cipher-wants-other-key", WE, &other_key,
      "The suites in common want a certificate of the other type." },
    { "why:106/no-server-name", NONE, &no_name,
      "The client names no server (SNI), and the server may need it." },
    { "why:107/server-name-refused", "peer", &name_refused,
      "The server refuses the name that it is asked for (SNI)." },
    { "why:108/version-intolerant", "peer", &intolerant,
      "The server does not take a hello that offers TLS 1.3." },
    { "why:109/refuses-all", "peer", &refuses_all,
      "The server refuses every hello." },
    { "why:110/no-common-alpn", WE, &no_alpn,
      "No application protocol (ALPN) in common." },
    { "why:201/device-chain", WE, &too_big,
      "The peer's chain does not fit the device's input buffer." },
    { "why:202/device-record", WE, &big_record,
      "A record does not fit the device's input buffer." },
    { "why:207/device-message", WE, &big_message,
      "A handshake message does not fit the device's input buffer." },
    { "why:203/device-spread", WE, &spread,
      "A handshake message comes in several records." },
    { "why:204/device-output", WE, &too_big_ours,
      "A message of ours does not fit the device's output buffer." },
    { "why:206/device-key", WE, &key_too_big,
      "The device cannot read a certificate, or compute with its key." },
    { "why:205/device-heap", WE, &no_heap, "The device has no more memory." },
};

const struct explain_cause *findings_at(size_t i) {
    return i < sizeof rows / sizeof rows[0] ? &rows[i] : NULL;
}
