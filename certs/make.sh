#!/bin/sh
#
# make.sh - make the certificates, keys and CRL the tests use.
#
# Usage: certs/make.sh [DIRECTORY]
#
# Writes into DIRECTORY, or into the folder this script is in. Needs only the
# openssl command line, 3.0 or newer. Works in a temporary directory; nothing
# is written to DIRECTORY until everything has been made and checked. What is
# already in DIRECTORY is used again, so that only what is new changes from one
# run to the next. Delete a certificate to have it signed anew, with its key to
# have a new key made, and with an authority what it has signed.
#
# THE PRIVATE KEYS ARE PUBLIC. They are committed test data that anybody can
# read. Never trust these roots, or use any of these keys, outside the tests.
#
# Every certificate NAME.pem has its private key in NAME-key.pem (PKCS#8).
# Unless said otherwise: EC P-256, SHA-256, signed by root, valid 2020-2060, a
# server has CN=localhost, SAN DNS:localhost + IP:127.0.0.1 + IP:::1, and EKU
# serverAuth.
#
# Authorities
#   root                 the root the tests trust; also .der
#   intermediate         signed by root, pathlen:0
#   other-root           an unrelated root, for "untrusted CA"; also .der
#   ca-same-name         a root with root's name and another key
#   intermediate-...     see the chains that have it
#   crl.pem              root's CRL; revokes server-revoked and nothing else
#
# Good servers and clients
#   server-ec256         also .der and -key.der
#   server-ec384         EC P-384
#   server-rsa2048       RSA 2048; also .der and -key.der
#   server-chain         leaf signed by intermediate, then intermediate
#   server-ip-san        SAN has only the two IP addresses; CN=ip only
#   server-wildcard      SAN DNS:*.example.test
#   server-idn           SAN DNS:xn--bcher-kva.example
#   client-ec256         EKU clientAuth; also .der and -key.der
#   client-rsa2048       EKU clientAuth, RSA 2048
#
# One defect each
#   server-missing-intermediate  server-chain's leaf alone (same key)
#   server-reversed-chain        same leaf, then root, then intermediate
#   server-expired               valid only in 2020
#   server-not-yet-valid         valid only in 2059
#   server-wrong-host            SAN and CN are other.example
#   server-self-signed           signed by its own key, CA:FALSE
#   server-no-san                CN=localhost and no SAN at all
#   server-ip-in-dns             SAN DNS:127.0.0.1, an IP written as a name
#   server-wrong-eku             EKU clientAuth only
#   server-sha1                  signed with ecdsa-with-SHA1
#   server-rsa1024               RSA 1024
#   server-huge-chain            leaf + 8 intermediates, over 20 KB of DER
#   server-revoked               listed in crl.pem
#   server-unknown-root          signed by other-root, which is sent along
#   server-ca-same-name          signed by ca-same-name, which root is not
#   server-issuer-same-name      server-chain's leaf, then a certificate with
#                                intermediate's name and another key
#   server-path-too-long         under two CAs, and intermediate allows one
#   server-from-leaf             signed by server-wrong-host, which is no CA
#   server-name-constraints      under a CA with critical nameConstraints
#   server-aia                   no intermediate, but an AIA URL for it
#   server-extra                 leaf, intermediate, root, other-root
#   server-wrong-ku              RSA 2048, keyUsage keyCertSign only
#   server-wrong-eku-ca          under a CA with EKU clientAuth only
#   server-weak-ca               under a CA with a key of RSA 1024
#   server-rsa4096               RSA 4096, as are its CA and root-rsa4096 (also
#                                .der), sent along with other-root: over 4 KB
#   server-wildcard-mid          SAN DNS:foo.*.example.test and DNS:*.test
#   client-other                 a client signed by other-root
#   client-expired               valid only in 2020
#   client-self-signed           signed by its own key, CA:FALSE
#   client-missing-intermediate  signed by intermediate, which is not sent
#   client-sha1                  signed with ecdsa-with-SHA1
#
# Two defects at once
#   server-expired-untrusted     valid only in 2020, signed by other-root
#
# Other ways to write a key
#   server-ec256-key-sec1.pem       SEC1, BEGIN EC PRIVATE KEY
#   server-rsa2048-key-pkcs1.pem    PKCS#1, BEGIN RSA PRIVATE KEY
#   server-ec256-key-encrypted.pem  encrypted PKCS#8, password: mptls

set -eu

local_names='DNS:localhost,IP:127.0.0.1,IP:::1'
aia='caIssuers;URI:http://ca.example/intermediate.der'
key_password=mptls
huge_intermediates=8 # as many as Mbed TLS allows by default
huge_padding=2500    # bytes of comment in each certificate of the huge chain
huge_minimum=20480   # bytes of DER the huge chain must exceed

# The certificates, in the order they are made; an issuer comes first.
#   key:     ec256, ec384, or rsa and the bits
#   issuer:  a name from this table, or "self"
#   profile: see write_extensions
#   dates:   see set_dates
#   san:     the extension's value, "local" for $local_names, "-" for none
#   cn:      the rest of the line
certificate_table() {
    cat <<'EOF'
# name                      key     digest issuer                   profile      dates  san                               cn
root                        ec256   sha256 self                     root         long   -                                 mptls test root
other-root                  ec256   sha256 self                     root         long   -                                 mptls other root
intermediate                ec256   sha256 root                     intermediate long   -                                 mptls test intermediate

server-ec256                ec256   sha256 root                     server       long   local                             localhost
server-ec384                ec384   sha256 root                     server       long   local                             localhost
server-rsa2048              rsa2048 sha256 root                     server-rsa   long   local                             localhost
server-chain                ec256   sha256 intermediate             server       long   local                             localhost
client-ec256                ec256   sha256 root                     client       long   -                                 mptls test client
client-rsa2048              rsa2048 sha256 root                     client       long   -                                 mptls test client
client-other                ec256   sha256 other-root               client       long   -                                 mptls test client

server-expired              ec256   sha256 root                     server       past   local                             localhost
server-not-yet-valid        ec256   sha256 root                     server       future local                             localhost
server-expired-untrusted    ec256   sha256 other-root               server       past   local                             localhost
server-self-signed          ec256   sha256 self                     server       long   local                             localhost
server-wrong-eku            ec256   sha256 root                     client       long   local                             localhost
server-sha1                 ec256   sha1   root                     server       long   local                             localhost
server-rsa1024              rsa1024 sha256 root                     server-rsa   long   local                             localhost
server-revoked              ec256   sha256 root                     server       long   local                             localhost

server-no-san               ec256   sha256 root                     server       long   -                                 localhost
server-wrong-host           ec256   sha256 root                     server       long   DNS:other.example                 other.example
server-ip-san               ec256   sha256 root                     server       long   IP:127.0.0.1,IP:::1               ip only
server-ip-in-dns            ec256   sha256 root                     server       long   DNS:127.0.0.1                     ip in dns
server-wildcard             ec256   sha256 root                     server       long   DNS:*.example.test                *.example.test
server-idn                  ec256   sha256 root                     server       long   DNS:xn--bcher-kva.example         xn--bcher-kva.example
server-wildcard-mid         ec256   sha256 root                     server       long   DNS:foo.*.example.test,DNS:*.test wildcards

ca-same-name                ec256   sha256 self                     root         long   -                                 mptls test root
intermediate-same-name      ec256   sha256 root                     intermediate long   -                                 mptls test intermediate
intermediate-too-deep       ec256   sha256 intermediate             intermediate long   -                                 mptls test too deep
intermediate-constrained    ec256   sha256 root                     constrained  long   -                                 mptls test constrained
intermediate-eku-client     ec256   sha256 root                     ca-client    long   -                                 mptls test for clients
intermediate-rsa1024        rsa1024 sha256 root                     intermediate long   -                                 mptls test weak
server-unknown-root         ec256   sha256 other-root               server       long   local                             localhost
server-ca-same-name         ec256   sha256 ca-same-name             server       long   local                             localhost
server-path-too-long        ec256   sha256 intermediate-too-deep    server       long   local                             localhost
server-from-leaf            ec256   sha256 server-wrong-host        server       long   local                             localhost
server-name-constraints     ec256   sha256 intermediate-constrained server       long   local                             localhost
server-aia                  ec256   sha256 intermediate             server-aia   long   local                             localhost
server-wrong-ku             rsa2048 sha256 root                     server-ku    long   local                             localhost
server-wrong-eku-ca         ec256   sha256 intermediate-eku-client  server       long   local                             localhost
server-weak-ca              ec256   sha256 intermediate-rsa1024     server       long   local                             localhost
root-rsa4096                rsa4096 sha256 self                     root         long   -                                 mptls test RSA root
intermediate-rsa4096        rsa4096 sha256 root-rsa4096             intermediate long   -                                 mptls test RSA intermediate
server-rsa4096              rsa4096 sha256 intermediate-rsa4096     server-rsa   long   local                             localhost
client-expired              ec256   sha256 root                     client       past   -                                 mptls test client
client-self-signed          ec256   sha256 self                     client       long   -                                 mptls test client
client-missing-intermediate ec256   sha256 intermediate             client       long   -                                 mptls test client
client-sha1                 ec256   sha1   root                     client       long   -                                 mptls test client
EOF
}

# Those to write in DER too: files of certificates, and of keys.
der_certificates='root root-rsa4096 other-root server-ec256 server-rsa2048 client-ec256'
der_keys='server-ec256 server-rsa2048 client-ec256'

# Those that must verify against root with the certificates in their own file.
good_certificates='server-ec256 server-ec384 server-rsa2048 server-chain
    server-huge-chain server-ip-san server-wildcard server-idn server-extra
    client-ec256 client-rsa2048'

die() {
    printf 'make.sh: %s\n' "$*" >&2
    exit 1
}

# Run a command, showing what it said only if it failed.
quietly() {
    "$@" </dev/null >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "failed: $*"
    }
}

write_config() {
    cat >ca.cnf <<'EOF'
[req]
distinguished_name = req_name
string_mask = utf8only
[req_name]
[ca]
default_ca = tests
[tests]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = issued
unique_subject = no
policy = policy
crl_extensions = crl
[policy]
commonName = supplied
[crl]
authorityKeyIdentifier = keyid
EOF
    mkdir issued out
    : >index.txt
    first_serial >serial
    echo 01 >crlnumber
}

# A serial number above all that are in use.
first_serial() {
    last=4095
    for certificate in "$target"/*.pem; do
        case $certificate in
        *-key.pem | *-key-*.pem | */crl.pem | *'*'*) continue ;;
        esac
        number=$(openssl x509 -in "$certificate" -noout -serial)
        number=$((0x${number#serial=}))
        [ "$number" -le "$last" ] || last=$number
    done
    printf '%X\n' $((last + 1))
}

# again FILE...: out/FILE as it is in DIRECTORY; false if one is not there
again() {
    for file in "$@"; do
        [ -f "$target/$file" ] || return 1
    done
    for file in "$@"; do
        cp "$target/$file" "out/$file"
    done
}

# make_key NAME KIND: out/NAME-key.pem, the one already there if there is one.
make_key() {
    if again "$1-key.pem"; then
        return
    fi
    case $2 in
    ec256) set -- "$1" EC ec_paramgen_curve:P-256 ;;
    ec384) set -- "$1" EC ec_paramgen_curve:P-384 ;;
    rsa*) set -- "$1" RSA "rsa_keygen_bits:${2#rsa}" ;;
    *) die "unknown kind of key: $2" ;;
    esac
    quietly openssl genpkey -algorithm "$2" -pkeyopt "$3" -out "out/$1-key.pem"
}

# write_extensions PROFILE SAN [COMMENT]: extensions.cnf
write_extensions() {
    usage=digitalSignature
    constraints=CA:FALSE
    purpose=
    more=
    case $1 in
    root) constraints=critical,CA:TRUE ;;
    intermediate | constrained) constraints=critical,CA:TRUE,pathlen:0 ;;
    ca-client) constraints=critical,CA:TRUE,pathlen:0 purpose=clientAuth ;;
    server | server-ku) purpose=serverAuth ;;
    server-aia) purpose=serverAuth more="authorityInfoAccess = $aia" ;;
    server-rsa) purpose=serverAuth usage=digitalSignature,keyEncipherment ;;
    client) purpose=clientAuth ;;
    *) die "unknown profile: $1" ;;
    esac
    case $constraints in
    *CA:TRUE*) usage=keyCertSign,cRLSign ;;
    esac
    case $1 in
    constrained) more="nameConstraints = critical,permitted;DNS:.example.org" ;;
    server-ku) usage=keyCertSign ;;
    esac
    {
        echo "basicConstraints = $constraints"
        echo "keyUsage = critical,$usage"
        echo "subjectKeyIdentifier = hash"
        [ "$1" = root ] || echo "authorityKeyIdentifier = keyid"
        [ -z "$purpose" ] || echo "extendedKeyUsage = $purpose"
        case $2 in
        -) ;;
        local) echo "subjectAltName = $local_names" ;;
        *) echo "subjectAltName = $2" ;;
        esac
        [ -z "${3-}" ] || echo "nsComment = $3"
        echo "$more"
    } >extensions.cnf
}

# set_dates DATES: not_before, not_after
set_dates() {
    case $1 in
    long) not_before=20200101000000Z not_after=20600101000000Z ;;
    past) not_before=20200101000000Z not_after=20210101000000Z ;;
    future) not_before=20590101000000Z not_after=20600101000000Z ;;
    *) die "unknown dates: $1" ;;
    esac
}

# sign NAME DIGEST ISSUER DATES CN: out/NAME.pem, with the extensions in
# extensions.cnf, or the first certificate of the NAME.pem there is
sign() {
    if [ -f "$target/$1.pem" ]; then
        quietly openssl x509 -in "$target/$1.pem" -out "out/$1.pem"
        return
    fi
    set_dates "$4"
    quietly openssl req -new -key "out/$1-key.pem" -subj "/CN=$5" -out "$1.csr"
    if [ "$3" = self ]; then
        set -- "$1" "$2" -selfsign -keyfile "out/$1-key.pem"
    else
        set -- "$1" "$2" -cert "out/$3.pem" -keyfile "out/$3-key.pem"
    fi
    name=$1 digest=$2
    shift 2
    quietly openssl ca -batch -notext -md "$digest" "$@" \
        -startdate "$not_before" -enddate "$not_after" \
        -extfile extensions.cnf -in "$name.csr" -out "out/$name.pem"
}

make_certificates() {
    certificate_table >table
    while read -r name key digest issuer profile dates san cn; do
        case $name in
        '' | '#'*) continue ;;
        esac
        make_key "$name" "$key"
        write_extensions "$profile" "$san"
        sign "$name" "$digest" "$issuer" "$dates" "$cn"
    done <table
}

# append NAME OTHER...: the others' certificates to out/NAME.pem
append() {
    name=$1
    shift
    for other in "$@"; do
        cat "out/$other.pem" >>"out/$name.pem"
    done
}

# The same leaf with its intermediate, without it, out of order, and so on.
make_chains() {
    for name in server-missing-intermediate server-reversed-chain server-extra \
        server-issuer-same-name; do
        cp out/server-chain.pem "out/$name.pem"
        cp out/server-chain-key.pem "out/$name-key.pem"
    done
    append server-chain intermediate
    append server-reversed-chain root intermediate
    append server-extra intermediate root other-root
    append server-issuer-same-name intermediate-same-name
    append server-unknown-root other-root
    append server-path-too-long intermediate-too-deep intermediate
    append server-from-leaf server-wrong-host
    append server-name-constraints intermediate-constrained
    append server-wrong-eku-ca intermediate-eku-client
    append server-weak-ca intermediate-rsa1024
    append server-rsa4096 intermediate-rsa4096 root-rsa4096 other-root
}

# Each certificate of the huge chain is padded with a long comment. Only the
# leaf's key is kept: the intermediates are of no other use.
make_huge_chain() {
    if again server-huge-chain.pem server-huge-chain-key.pem; then
        return
    fi
    padding=$(printf "%${huge_padding}s" '' | tr ' ' x)
    issuer=root
    chain=
    i=1
    while [ "$i" -le "$huge_intermediates" ]; do
        make_key "huge-$i" ec256
        write_extensions root - "$padding"
        sign "huge-$i" sha256 "$issuer" long "mptls huge intermediate $i"
        issuer=huge-$i
        chain="out/huge-$i.pem $chain"
        i=$((i + 1))
    done
    make_key server-huge-chain ec256
    write_extensions server local "$padding"
    sign server-huge-chain sha256 "$issuer" long localhost

    # shellcheck disable=SC2086 # a list of file names without spaces
    cat $chain >>out/server-huge-chain.pem
    rm out/huge-*
    size=$(der_size <out/server-huge-chain.pem)
    [ "$size" -gt "$huge_minimum" ] || die "the huge chain has only $size bytes"
}

# How many bytes the base64 in the PEM on standard input stands for, or up to
# two more for each certificate.
der_size() {
    characters=$(grep -v '^-' | tr -d '\n' | wc -c)
    echo $((characters * 3 / 4))
}

# The database of the CRL is written here, rather than by openssl ca -revoke,
# so that the revocation has a fixed date.
make_crl() {
    if again crl.pem; then
        return
    fi
    set_dates long
    serial=$(openssl x509 -in out/server-revoked.pem -noout -serial)
    printf 'R\t%s\t%s\t%s\tunknown\t%s\n' "$not_after" \
        200601000000Z,keyCompromise "${serial#serial=}" /CN=localhost >index.txt
    quietly openssl ca -gencrl -md sha256 \
        -cert out/root.pem -keyfile out/root-key.pem \
        -crl_lastupdate "$not_before" -crl_nextupdate "$not_after" \
        -out out/crl.pem
}

make_other_formats() {
    for name in $der_certificates; do
        quietly openssl x509 -in "out/$name.pem" -outform DER -out "out/$name.der"
    done
    for name in $der_keys; do
        quietly openssl pkcs8 -topk8 -nocrypt -in "out/$name-key.pem" \
            -outform DER -out "out/$name-key.der"
    done
    quietly openssl pkey -traditional -in out/server-ec256-key.pem \
        -out out/server-ec256-key-sec1.pem
    quietly openssl pkey -traditional -in out/server-rsa2048-key.pem \
        -out out/server-rsa2048-key-pkcs1.pem
    again server-ec256-key-encrypted.pem ||
        quietly openssl pkcs8 -topk8 -v2 aes-256-cbc \
            -passout "pass:$key_password" -in out/server-ec256-key.pem \
            -out out/server-ec256-key-encrypted.pem
}

check() {
    for name in $good_certificates; do
        quietly openssl verify -x509_strict -CAfile out/root.pem \
            -untrusted "out/$name.pem" "out/$name.pem"
    done
    for certificate in out/*.pem; do
        key=${certificate%.pem}-key.pem
        case $certificate in
        *-key.pem | *-key-*.pem | out/crl.pem) continue ;;
        esac
        openssl x509 -in "$certificate" -noout -pubkey >public-certificate
        openssl pkey -in "$key" -pubout >public-key
        cmp -s public-certificate public-key || die "$key is not its key"
    done
}

target=${1:-$(dirname -- "$0")}
mkdir -p -- "$target"
target=$(cd -- "$target" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd -- "$work"
OPENSSL_CONF=$work/ca.cnf
export OPENSSL_CONF

write_config
make_certificates
make_chains
make_huge_chain
make_crl
make_other_formats
check
chmod 644 out/*
cp out/* "$target"
