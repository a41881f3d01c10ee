#include "report/causes.h"

static const struct explain_advice in_common = {
    "in the first flights, ClientHello and ServerHello",
    "No cipher suite in common.\n"
    "No group (curve) or signature algorithm in common.\n"
    "The server chooses its certificate by name and was sent none.\n"
    "The server has no certificate of the wanted type, or none at all.",
    "Pass server_hostname. An esp8266 offers RSA key exchange with AES-CBC "
    "only; most ports got ECDHE-RSA and AES-GCM in MicroPython 1.24.",
    "Allow TLS 1.2 with ECDHE, AES-128-GCM and P-256; for an esp8266 "
    "TLS_RSA_WITH_AES_128_CBC_SHA and an RSA certificate.",
};
static const struct explain_advice version = {
    "in the first flights, ClientHello and ServerHello",
    "One end takes TLS 1.3 only, and MicroPython has 1.2 at most.\n"
    "One end has TLS 1.0 or 1.1 at most, and the other refuses those.",
    "Take newer firmware; MicroPython since 1.23 has TLS 1.2 only.",
    "Allow TLS 1.2.",
};
static const struct explain_advice chain = {
    "after the peer's Certificate message",
    "The CA given is not the one that signed the chain.\n"
    "The peer does not send its intermediate certificate.\n"
    "The certificate is self-signed, and is not itself what is trusted.\n"
    "A leaf that a CA signed was given as the CA.",
    "Give the root, or the intermediate that signed the leaf, as cadata: one "
    "certificate in DER; PEM on an esp32 or since MicroPython 1.29.",
    "Send the intermediate certificates after the server's own.",
};
static const struct explain_advice clock_wrong = {
    "after the peer's Certificate message",
    "The board's clock is not set: 2000 (esp32), 2015 (stm32), 2021 (rp2).\n"
    "A certificate of the chain has run out, or is too new.",
    "Set the clock before the handshake, with ntptime.settime().",
    "Renew the certificate that has run out; look at the intermediates, too.",
};
static const struct explain_advice name = {
    "after the peer's Certificate message",
    "server_hostname is not a name in the certificate.\n"
    "An address was given, and the certificate has none; Mbed TLS compares "
    "addresses since 3.5 (MicroPython 1.23).\n"
    "The server answered with its default certificate.",
    "Pass as server_hostname a name that the certificate has.",
    "Put the name or address into subjectAltName.",
};
static const struct explain_advice purpose = {
    "after the peer's Certificate message",
    "The certificate is for the other role: a client's used by a server, or "
    "the reverse.\n"
    "A CA certificate without the right to sign.",
    "Take a certificate that is made for this use.",
    "Issue it with the extendedKeyUsage and keyUsage of its role.",
};
static const struct explain_advice weak = {
    "after the peer's Certificate message",
    "RSA under 2048 bits.\n"
    "A signature with SHA-1 or MD5.\n"
    "A curve that this build does not take.",
    "The limits are compiled in: change the certificate.",
    "Issue RSA 2048 or P-256, signed with SHA-256.",
};
static const struct explain_advice revoked = {
    "after the peer's Certificate message",
    "The CA has withdrawn the certificate.\n"
    "The CRL in use is out of date or not the CA's.",
    "MicroPython reads no CRL: a new certificate is the only way.",
    "Issue a new certificate; refresh the CRL.",
};
static const struct explain_advice our_cert = {
    "after our Certificate message",
    "The peer does not trust the CA of our certificate.\n"
    "Our certificate has run out, or the peer's clock is wrong.\n"
    "Our certificate is for the other role, or of a type the peer lacks.",
    "As a server: the client needs our CA. As a client: send the certificate "
    "that the server's CA signed.",
    "Look into the server's log; give it the CA of the client certificates.",
};
static const struct explain_advice cert_bad = {
    "after our Certificate message",
    "The name it asked for is not in our certificate: what Mbed TLS says.\n"
    "Our certificate is not valid yet, by its clock: what OpenSSL says.\n"
    "It cannot be parsed, or its signature does not verify.",
    "Pass as server_hostname a name of the certificate; set the clock.",
    "Put the name that clients ask for into subjectAltName.",
};
static const struct explain_advice cert_type = {
    "after our Certificate message",
    "It is for the other role: extendedKeyUsage or keyUsage is wrong.\n"
    "Its key is too short, or of a type or curve that the peer lacks.\n"
    "It is signed with a hash that the peer refuses, such as SHA-1.",
    "Use P-256 or RSA 2048 with SHA-256, issued for the role.",
    "Issue it with serverAuth for a server, clientAuth for a client.",
};
static const struct explain_advice cert_expired = {
    "after our Certificate message",
    "Our certificate, or one that we send with it, has run out.\n"
    "The CA that the peer has has run out.\n"
    "The peer's clock is fast.",
    "As the one that refuses: check the clock, and the CA in cadata. As the "
    "one refused: renew the certificate.",
    "Renew the certificate, and reload the server.",
};
static const struct explain_advice cert_unknown = {
    "after our Certificate message",
    "The peer is a board whose clock is not set: Mbed TLS says this of a "
    "certificate that is not valid yet.\n"
    "A program above TLS refused it, as browsers and Go do.\n"
    "The peer does not trust the CA.",
    "Set the clock before the handshake, with ntptime.settime().",
    "Look into the log of the end that refuses.",
};
static const struct explain_advice ca_unknown = {
    "after our Certificate message",
    "The peer has not been given the CA of our certificate.\n"
    "We do not send the intermediate certificate; in DER a board sends one "
    "certificate only.\n"
    "Our certificate is self-signed, and not what the peer trusts.",
    "As a client, give as cadata the CA that signed the server's certificate. "
    "As a server, use a certificate that a root signed directly.",
    "Send the whole chain; give the clients its root.",
};
static const struct explain_advice denied = {
    "after our Certificate message",
    "The peer knows who we are, and does not let us in.\n"
    "A verify_callback on MicroPython returned 1 or True.",
    "Return 0 from verify_callback to accept.",
    "Add the client to those that may connect.",
};
static const struct explain_advice no_cert = {
    "after the client's Certificate message",
    "The server wants a client certificate, and none was loaded.\n"
    "The client's certificate is not from a CA that the server names.",
    "Call load_cert_chain(cert, key) before wrap_socket().",
    "Do not require client certificates if they are not meant.",
};
static const struct explain_advice not_tls = {
    "at the first bytes from the peer",
    "The port does not speak TLS: HTTP instead of HTTPS, MQTT on 1883.\n"
    "The protocol wants STARTTLS first.\n"
    "The stream was read or written beside TLS.\n"
    "A record is larger than the buffer, see max_fragment_length.",
    "Look at the port; wrap the socket before anything is sent.",
    "Let the port listen with TLS.",
};
static const struct explain_advice keys_differ = {
    "at the messages that prove the keys, up to Finished",
    "The private key does not belong to the certificate.\n"
    "The pre-shared keys differ.\n"
    "Bytes were changed or lost on the way.",
    "Compare the public key of the certificate with the private key's; "
    "MicroPython does not compare them when it loads.",
    "The same on the server.",
};
static const struct explain_advice message = {
    "at the message just exchanged, mostly in the handshake",
    "One end splits a handshake message over records, which Mbed TLS before "
    "3.6.3 (MicroPython up to 1.28) cannot join.\n"
    "The two ends differ in an extension.\n"
    "A fault in one of the implementations.",
    "Try newer firmware; see with mptls which message it is.",
    "Send handshake messages in one record; turn off unusual extensions.",
};
static const struct explain_advice closed = {
    "in the handshake, often after the ClientHello",
    "The server closes at what it does not like, without an alert.\n"
    "It wants a client certificate, a name (SNI) or another port.\n"
    "A firewall or proxy ends the connection, or the server is overloaded.",
    "Pass server_hostname; try the server with mptls connect -v.",
    "Look into the log; the time and address of the connection are there.",
};
static const struct explain_advice broken = {
    "after the handshake, with data under way",
    "The peer crashed, restarted, or closed with data unread.\n"
    "A firewall or router has forgotten an idle connection.\n"
    "The peer refused our certificate late, as TLS 1.3 allows.",
    "Connect again; read all that comes before closing.",
    "Look into the log; close after close_notify, not by a reset.",
};
static const struct explain_advice memory = {
    "anywhere; the peer's Certificate and key exchange need the most",
    "The heap is full or in pieces: a record buffer needs 16 KB at once.\n"
    "A long chain or an RSA key of 4096 bits.\n"
    "Older sockets are not closed.",
    "gc.collect() before wrap_socket(); connect early; close sockets; load "
    "one CA only.",
    "Send a short chain with a P-256 or RSA 2048 key.",
};
static const struct explain_advice size = {
    "at the first large record or message",
    "The peer's records are larger than our buffer: 5 KB on an esp8266.\n"
    "The certificate chain is too long.",
    "Ask for less at a time; a larger input buffer must be compiled in.",
    "Send smaller records and a shorter chain; honour max_fragment_length.",
};
static const struct explain_advice device = {
    "where the device would fail",
    "A record or message is larger than its buffer.\n"
    "Its heap is used up.",
    "Firmware with larger buffers, or a smaller job: a shorter chain, less "
    "memory in use.",
    "Send smaller records and a shorter chain; honour max_fragment_length.",
};
static const struct explain_advice ending = {
    "after the handshake, at the end of the data",
    "The peer has sent all it had.\n"
    "The peer ended an idle connection.\n"
    "A peer such as MicroPython on Mbed TLS closes without close_notify.",
    "Read until b'', then check by length or content that all has come.",
    "Send close_notify before closing.",
};
static const struct explain_advice load = {
    "before the handshake, when the file is loaded",
    "PEM where only DER is read: MicroPython before 1.29, but for the esp32.\n"
    "The key is encrypted, or cert and key are swapped.\n"
    "Ed25519 or another algorithm that is not compiled in.\n"
    "The file is cut, or has bytes behind its end.",
    "Convert: openssl x509 -in c.pem -outform DER -out c.der; openssl pkey "
    "-in k.pem -outform DER -out k.der.",
    "Nothing, unless it is the server's file.",
};
static const struct explain_advice algorithm = {
    "when a certificate or key is read",
    "RSA-PSS, Ed25519, SHA-384 or a curve that this build lacks.",
    "Use RSA (PKCS#1 v1.5) or P-256 with SHA-256; trust the intermediate if "
    "only the root is the trouble.",
    "Have a certificate issued with those.",
};
static const struct explain_advice setup = {
    "before the handshake, in our own program",
    "A wrong argument or order of calls.\n"
    "The socket is closed or was never connected.\n"
    "A feature that this build leaves out.",
    "Look at the call that raised it: ciphers must be names from "
    "get_ciphers(), a PSK has 1 to 32 bytes, a closed socket stays closed.",
    "Nothing: the peer has no part in it.",
};
static const struct explain_advice suite_name = {
    "before the handshake, in our own program",
    "The name of a suite is misspelt, or the list is empty.\n"
    "The suite is one that this build leaves out.",
    "set_ciphers() takes a list of names from get_ciphers(): "
    "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256.",
    "Nothing: the peer has no part in it.",
};
static const struct explain_advice pair = {
    "when the pair is loaded; on a board in the handshake",
    "The private key does not belong to the certificate.",
    "Compare the public key of the certificate with the private key's; "
    "MicroPython does not compare them when it loads.",
    "Nothing, unless it is the server's pair.",
};
static const struct explain_advice encrypted = {
    "before the handshake, when the key is loaded",
    "The key is encrypted, and a board knows no password.",
    "Decrypt it: openssl pkey -in k.pem -outform DER -out k.der.",
    "Nothing, unless it is the server's key.",
};
static const struct explain_advice trust_setup = {
    "before or in the handshake, at the peer's Certificate",
    "CERT_REQUIRED without a CA, or without a name to compare.",
    "load_verify_locations() and server_hostname, both before the handshake; "
    "there is no store of system certificates on a board.",
    "Nothing: the peer has no part in it.",
};
static const struct explain_advice reach = {
    "before TLS, when the connection is made",
    "Nothing listens on that port, or another address is meant.\n"
    "A firewall drops or refuses it.\n"
    "The board has no network yet, or no route.",
    "Wait for wlan.isconnected(); check address and port.",
    "Listen on the right address, not on 127.0.0.1 only.",
};
static const struct explain_advice in_use = {
    "before TLS, when the server begins to listen",
    "Another program, or an earlier run, listens on this port.\n"
    "The address is not this machine's.\n"
    "Ports under 1024 need a privilege.",
    "Set SO_REUSEADDR, or reset the board: a socket of before may be open.",
    "Choose another port or address, or end what has it.",
};
static const struct explain_advice resolve = {
    "before TLS, when the name is resolved",
    "The name is misspelt or does not exist.\n"
    "The board has no network or no DNS server yet.\n"
    "A .local name needs mDNS.",
    "Wait for wlan.isconnected(); try the address in place of the name.",
    "Publish the name in the DNS.",
};
static const struct explain_advice wait = {
    "anywhere; what was awaited says more",
    "The peer waits for us, or is no TLS peer.\n"
    "Packets are lost, or the board is slow at RSA.\n"
    "A non-blocking socket is not ready yet.",
    "Set a longer time-out; on a non-blocking socket poll and call again.",
    "See that it answers other clients.",
};
static const struct explain_advice unreached = {
    "before TLS, when the connection is made",
    "A firewall drops the packets, or the address is nobody's.\n"
    "The machine is off, asleep or in another network.\n"
    "Its queue of connections is full.",
    "Wait for wlan.isconnected(); ping the address from the same network.",
    "See that it is up, and that its firewall lets the port in.",
};
static const struct explain_advice silent = {
    "in the handshake; the message names what was awaited",
    "The peer is no TLS peer, and waits for us to say something else.\n"
    "A board needs seconds for RSA; or all its sockets are in use.\n"
    "Large packets are lost on the way (MTU).",
    "Free sockets, use a P-256 key, which is much faster than RSA.",
    "See that it answers other clients; look into its log.",
};
static const struct explain_advice idle = {
    "after the handshake",
    "The peer waits for us, too: a request is incomplete, or lacks its end.\n"
    "The peer keeps the connection open for more.\n"
    "It has crashed, or the network is gone.",
    "Close the connection after the answer; use a time-out of its own.",
    "Close connections that are done.",
};
static const struct explain_advice identity = {
    "at the client's key exchange, or its PSK extension",
    "The server does not know the identity, or the key differs.",
    "Give the same identity and key, byte for byte, on both ends.",
    "Add the identity.",
};
static const struct explain_advice inside = {
    "anywhere",
    "A fault or a limit of the implementation.\n"
    "Often out of memory, on a board.",
    "Free memory, take newer firmware, try again.",
    "Look into the log of the end that reports it.",
};
static const struct explain_advice dtls = {
    "DTLS only, in the first flights",
    "A server asks the client for a cookie first, by design.\n"
    "The client was restarted on the same port.",
    "Call wrap_socket() again with the same context and client_id.",
    "Nothing.",
};

/* Who ended it: the side that shows the code, the other end of TLS, what is
 * below TLS (the peer's system included), or nobody, for it is no failure. */
static const char WE[] = "we", PEER[] = "peer", NET[] = "network";
static const char NONE[] = "nobody";

static const struct explain_cause causes[] = {
    { "alert:0", NONE, &ending, "The peer ends its direction as it should." },
    { "alert:10", PEER, &message, "A message came that it did not await." },
    { "alert:20", PEER, &keys_differ, "A record of ours does not decrypt." },
    { "alert:21", PEER, &keys_differ, "As bad_record_mac; up to TLS 1.0." },
    { "alert:22", PEER, &size, "A record of ours is too long for it." },
    { "alert:30", PEER, &message, "Compressed data is bad; not in TLS 1.3." },
    { "alert:40", PEER, &in_common,
      "It finds nothing acceptable in what we offer. A TLS 1.2 server may also "
      "say so where a client sends no certificate." },
    { "alert:41", PEER, &no_cert,
      "We sent no certificate; from Mbed TLS in TLS 1.3, else SSL 3 only." },
    { "alert:42", PEER, &cert_bad, "It finds our certificate bad." },
    { "alert:43", PEER, &cert_type,
      "It cannot use a certificate of our type, key or purpose." },
    { "alert:44", PEER, &revoked, "Our certificate is revoked." },
    { "alert:45", PEER, &cert_expired,
      "Our certificate has run out, by its clock." },
    { "alert:46", PEER, &cert_unknown,
      "It refuses our certificate, and says no reason." },
    { "alert:47", PEER, &message, "A field of ours is out of range." },
    { "alert:48", PEER, &ca_unknown,
      "It does not trust the CA of our certificate." },
    { "alert:49", PEER, &denied,
      "Our certificate is good, but not for this: access is denied." },
    { "alert:50", PEER, &message, "A message of ours cannot be parsed." },
    { "alert:51", PEER, &keys_differ,
      "A signature or the Finished of ours does not verify." },
    { "alert:60", PEER, &in_common, "An export key; obsolete." },
    { "alert:70", PEER, &version, "It does not take our TLS version." },
    { "alert:71", PEER, &in_common, "It wants stronger suites than ours." },
    { "alert:80", PEER, &inside, "It failed for a reason of its own." },
    { "alert:86", PEER, &version, "We retried below its best version." },
    { "alert:90", PEER, &ending, "Its user broke off." },
    { "alert:100", PEER, &message, "It does not renegotiate; a warning." },
    { "alert:109", PEER, &in_common, "TLS 1.3: our hello lacks an extension." },
    { "alert:110", PEER, &message, "We sent an extension not asked for." },
    { "alert:111", PEER, &our_cert, "It cannot fetch our certificate's URL." },
    { "alert:112", PEER, &in_common, "It has no such name (SNI)." },
    { "alert:113", PEER, &revoked, "Our OCSP answer is not valid." },
    { "alert:114", PEER, &our_cert, "The certificate's hash differs." },
    { "alert:115", PEER, &identity, "It does not know the PSK identity." },
    { "alert:116", PEER, &no_cert,
      "It wants a certificate of ours, and got none." },
    { "alert:120", PEER, &in_common, "No ALPN protocol in common." },
    { "alert:121", PEER, &in_common, "It wants Encrypted Client Hello." },
    { "flag:1/expired", WE, &clock_wrong, "Past its end, by our clock." },
    { "flag:2/revoked why:14/revoked exit:33", WE, &revoked,
      "It is on a CRL." },
    { "flag:4/name-mismatch why:3/name-mismatch", WE, &name,
      "It does not bear the name asked." },
    { "flag:8/untrusted", WE, &chain, "No path to a trusted certificate." },
    { "flag:0x10/crl-untrusted flag:0x20/crl-expired "
      "flag:0x400/crl-not-yet-valid flag:0x20000/crl-bad-hash "
      "flag:0x40000/crl-bad-pk flag:0x80000/crl-bad-key",
      WE, &revoked, "The CRL itself is not acceptable." },
    { "flag:0x40/missing", WE, &no_cert, "The peer sent no certificate." },
    { "flag:0x80/skipped flag:0x100/other", WE, &chain, NULL },
    { "flag:0x200/not-yet-valid", WE, &clock_wrong,
      "It begins later than now." },
    { "flag:0x800/key-usage flag:0x1000/ext-key-usage flag:0x2000/ns-cert-type "
      "tls:-0x7A00",
      WE, &purpose, NULL },
    { "flag:0x4000/weak-hash flag:0x8000/bad-algorithm flag:0x10000/weak-key "
      "exit:34",
      WE, &weak, NULL },
    { "tls:-0x2700", WE, &chain,
      "We refuse the peer's certificate; the flags say why. Untrusted is the "
      "commonest, then a clock that is not set, then the name." },
    { "tls:-0x7780", PEER, &in_common,
      "The peer sent a fatal alert, whose number MicroPython does not show; "
      "mptls connect does. Without it nothing in common is the first guess." },
    { "tls:-0x7280 exit:24", PEER, &closed,
      "The peer closed TCP in the handshake, without an alert." },
    { "tls:-0x7200", WE, &not_tls, "What came is no valid TLS record." },
    { "tls:-0x7180 tls2:-0x7E80/SSL_BAD_HS_FINISHED", WE, &keys_differ, NULL },
    { "tls:-0x6E00", WE, &in_common,
      "We found nothing in common, or, as a server, no certificate for it." },
    { "tls:-0x6E80 tls:-0x5F00 axtls:-263/INVALID_VERSION "
      "tls2:-0x6E80/SSL_BAD_HS_PROTOCOL_VERSION",
      WE, &version, NULL },
    { "tls:-0x7580 tls2:-0x7300/SSL_UNKNOWN_CIPHER "
      "tls2:-0x7380/SSL_NO_CIPHER_CHOSEN "
      "tls2:-0x6980/SSL_NO_USABLE_CIPHERSUITE",
      WE, &in_common, NULL },
    { "tls:-0x7300 tls:-0x7700 tls:-0x6600 tls:-0x7500 tls:-0x6700 tls:-0x6680 "
      "tls:-0x6B00 tls2:-0x7900/SSL_BAD_HS_CLIENT_HELLO "
      "tls2:-0x7980/SSL_BAD_HS_SERVER_HELLO "
      "tls2:-0x7A80/SSL_BAD_HS_CERTIFICATE_REQUEST "
      "tls2:-0x7B00/SSL_BAD_HS_SERVER_KEY_EXCHANGE "
      "tls2:-0x7B80/SSL_BAD_HS_SERVER_HELLO_DONE "
      "tls2:-0x7C00/SSL_BAD_HS_CLIENT_KEY_EXCHANGE "
      "tls2:-0x7C80/SSL_BAD_HS_CLIENT_KEY_EXCHANGE_RP "
      "tls2:-0x7D00/SSL_BAD_HS_CLIENT_KEY_EXCHANGE_CS "
      "tls2:-0x7E00/SSL_BAD_HS_CHANGE_CIPHER_SPEC "
      "tls2:-0x6E00/SSL_BAD_HS_NEW_SESSION_TICKET "
      "axtls:-1/NOT_OK axtls:-2/DEAD axtls:-261/INVALID_PROT_MSG "
      "axtls:-260/INVALID_HANDSHAKE axtls:-264/UNSUPPORTED_EXTENSION "
      "axtls:-265/INVALID_SESSION axtls:-273/NO_CLIENT_RENOG",
      WE, &message, NULL },
    { "tls2:-0x7D80/SSL_BAD_HS_CERTIFICATE_VERIFY axtls:-262/INVALID_HMAC "
      "axtls:-271/FINISHED_INVALID tls:-0x4380 tls:-0x4E00 "
      "tls2:-0x6600/SSL_INVALID_VERIFY_HASH tls:-0x3900",
      WE, &keys_differ, NULL },
    { "tls:-0x7080", WE, &message,
      "A feature is missing; up to MicroPython 1.28 often a handshake message "
      "that the peer split over records." },
    { "tls2:-0x7A00/SSL_BAD_HS_CERTIFICATE "
      "tls2:-0x7800/SSL_PEER_VERIFY_FAILED",
      WE, &chain, NULL },
    { "exit:32", WE, &name, NULL },
    { "tls:-0x7480 exit:36", WE, &no_cert, "The client sent no certificate." },
    { "tls:-0x7600 tls2:-0x7580/SSL_CERTIFICATE_REQUIRED", WE, &no_cert, NULL },
    { "tls:-0x7680 "
      "value:3/CERT_REQUIRED+requires+server_hostname",
      WE, &trust_setup, "A CA and a name are needed to verify with." },
    { "tls:-0x5D80", WE, &trust_setup,
      "Verification is wanted, but no name is given. MicroPython's table does "
      "not know this code, and prints MBEDTLS_ERR_UNKNOWN." },
    { "tls:-0x7F00 tls:-0x0010 tls:-0x3F80 tls:-0x2880 tls:-0x1180 tls:-0x4D80 "
      "tls:-0x5180 tls:-0x6180 tls:-0x006A tls:-0x3400 tls:-0x5780 "
      "psa:-141/PSA_ERROR_INSUFFICIENT_MEMORY errno:12/ENOMEM "
      "dns:-203/EAI_MEMORY",
      WE, &memory, "No memory." },
    { "tls:-0x6A00 psa:-138/PSA_ERROR_BUFFER_TOO_SMALL "
      "tls2:-0x7500/SSL_CERTIFICATE_TOO_LARGE",
      WE, &size, NULL },
    { "tls:-0x7880 axtls:-3/CLOSE_NOTIFY", NONE, &ending,
      "The peer ended its direction." },
    { "tls:-0x6800", NET, &wait, "DTLS: no answer in time." },
    { "tls:-0x6A80 tls:-0x6780", NONE, &dtls, NULL },
    { "tls:-0x6C80", WE, &identity, "A PSK identity that we do not have." },
    { "tls:-0x7100 psa:-135/PSA_ERROR_INVALID_ARGUMENT", WE, &setup,
      "A wrong argument, or the TLS socket is closed already." },
    { "tls:-0x5E80", WE, &suite_name,
      "The configuration cannot work; set_ciphers() with an unknown name." },
    { "tls:-0x7B00", NONE, &wait, "TLS 1.3: a session ticket came." },
    { "tls:-0x6C00 tls:-0x7400 tls:-0x6B80 tls:-0x7F80 tls:-0x4480 tls:-0x4D00 "
      "tls:-0x0034 tls:-0x003C tls:-0x0070 tls:-0x006E tls:-0x0001 tls:-0x3000 "
      "psa:-151/PSA_ERROR_CORRUPTION_DETECTED psa:-132/PSA_ERROR_GENERIC_ERROR "
      "psa:-148/PSA_ERROR_INSUFFICIENT_ENTROPY "
      "psa:-147/PSA_ERROR_HARDWARE_FAILURE",
      WE, &inside, NULL },
    { "tls:-0x6D00 tls:-0x7800 exit:21 axtls:-266/NO_CIPHER", WE, &in_common,
      NULL },
    { "tls:-0x4300 tls:-0x4280 tls:-0x4C80 tls:-0x4F80 tls:-0x4C00 tls:-0x4100 "
      "tls:-0x4200 tls:-0x4080 psa:-149/PSA_ERROR_INVALID_SIGNATURE",
      WE, &keys_differ, NULL },
    { "tls:-0x2080 tls:-0x2100 tls:-0x2300 tls:-0x2580 tls:-0x2600 tls:-0x3C80 "
      "tls:-0x3A00 tls:-0x3A80 tls:-0x3980 tls:-0x4E80 tls:-0x002E tls:-0x5080 "
      "tls:-0x0072 tls:-0x6080 exit:4 axtls:-267/INVALID_CERT_HASH_ALG "
      "axtls:-268/BAD_CERTIFICATE psa:-134/PSA_ERROR_NOT_SUPPORTED",
      WE, &algorithm, NULL },
    { "tls:-0x3F00", WE, &pair, "The key is of another type." },
    { "tls:-0x3C00 tls:-0x3B80 tls:-0x1300 tls:-0x1380", WE, &encrypted,
      "The key is encrypted." },
    { "tls:-0x3E80", WE, &load, "The key cannot be used: 'invalid key'." },
    { "tls:-0x2800", WE, &load, "No certificate was found: 'invalid cert'." },
    { "tls:-0x2180 tls:-0x2200 tls:-0x2280 tls:-0x2380 tls:-0x2400 tls:-0x2480 "
      "tls:-0x2500 tls:-0x2780 tls:-0x2900 tls:-0x3E00 tls:-0x3D80 "
      "tls:-0x3D00 tls:-0x3B00 tls:-0x1080 tls:-0x1100 "
      "tls:-0x1200 tls:-0x1280 tls:-0x1400 tls:-0x1480 "
      "tls:-0x0060 tls:-0x0062 tls:-0x0064 tls:-0x0066 tls:-0x0068 tls:-0x002C "
      "tls:-0x2680 exit:3 axtls:-269/INVALID_KEY value:1/invalid+key "
      "value:2/invalid+cert",
      WE, &load, NULL },
    { "axtls:-256/CONN_LOST", PEER, &closed, "The connection was lost." },
    { "axtls:-257/RECORD_OVERFLOW", WE, &size,
      "A record over 5115 bytes came, which an esp8266 cannot take." },
    { "errno:104/ECONNRESET errno:103/ECONNABORTED newlib:113/ECONNABORTED "
      "errno:32/EPIPE errno:107/ENOTCONN newlib:128/ENOTCONN tls:-0x004C "
      "tls:-0x004E tls:-0x0050",
      NET, &closed, "The connection was reset or is gone." },
    { "exit:43", NET, &broken, "The connection was reset or is gone." },
    { "errno:111/ECONNREFUSED", NET, &reach, "Nothing listens on that port." },
    { "errno:113/EHOSTUNREACH newlib:118/EHOSTUNREACH", NET, &reach,
      "There is no way to that address." },
    { "errno:110/ETIMEDOUT newlib:116/ETIMEDOUT", NET, &wait, "No answer." },
    { "errno:11/EAGAIN errno:115/EINPROGRESS newlib:119/EINPROGRESS "
      "tls:-0x6900 tls:-0x6880 "
      "axtls:-4/EAGAIN",
      NONE, &wait, "Not ready yet; no failure on a non-blocking socket." },
    { "errno:16/EBUSY", WE, &memory,
      "From a TLS call it is not EBUSY but MPI_ALLOC_FAILED, -0x0010: no "
      "memory for a large number." },
    { "errno:1/EPERM", WE, &setup,
      "From a TLS call: a verify_callback that returned 1 or True." },
    { "errno:2/ENOENT", WE, &load,
      "The certificate's or key's file is absent." },
    { "dns:-2/EAI_NONAME dns:-200/EAI_NONAME dns:-3/EAI_AGAIN "
      "dns:-202/EAI_FAIL exit:10 tls:-0x0052",
      NET, &resolve, "The name was not resolved." },
    { "exit:0", NONE, &ending, "Success." },
    { "exit:1", WE, &inside, "Something on our machine failed." },
    { "errno:98/EADDRINUSE newlib:112/EADDRINUSE errno:99/EADDRNOTAVAIL "
      "exit:14",
      WE, &in_use, "The address cannot be listened on." },
    { "exit:51", WE, &device, "It is too much for the device that is played." },
    { "exit:2 exit:50 axtls:-258/SOCK_SETUP_FAILURE "
      "axtls:-272/NO_CERT_DEFINED axtls:-274/NOT_SUPPORTED",
      WE, &setup, NULL },
    { "exit:11 exit:13 tls:-0x0042 tls:-0x0044", NET, &reach,
      "No TCP connection was made." },
    { "exit:12", NET, &unreached, "No answer from that address in time." },
    { "exit:20", PEER, &silent, "The peer did not go on with the handshake." },
    { "exit:41", PEER, &idle, "Nothing came and nothing could be sent." },
    { "exit:42", NET, &wait, "The time was over." },
    { "exit:22", PEER, &in_common, "It sent a fatal alert." },
    { "exit:23", WE, &not_tls, "The peer broke the protocol, or has no TLS." },
    { "exit:30", WE, &chain, NULL },
    { "exit:31", WE, &clock_wrong, "Expired, or not valid yet." },
    { "exit:37", PEER, &our_cert, "The peer refused our certificate." },
    { "exit:40", PEER, &ending,
      "It closed TCP without close_notify: what came may not be all." },
    { "plain:1", PEER, &not_tls, "These are bytes of a plaintext protocol." },
};

const struct explain_cause *causes_at(size_t i) {
    return i < sizeof causes / sizeof causes[0] ? &causes[i] : NULL;
}
