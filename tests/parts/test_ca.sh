#!/bin/sh
# Makes a certificate authority for tests, and a server's certificate by it:
#   test_ca.sh FOLDER  →  FOLDER/ca.pem, FOLDER/leaf.pem, FOLDER/leaf.key
# The leaf is no CA: rustls refuses a CA as a server's certificate.
set -eu
cd "$1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -subj "/CN=Countersign test CA" -keyout ca.key -out ca.pem \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=keyCertSign" 2>openssl.log
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -subj "/CN=localhost" -keyout leaf.key -out leaf.csr 2>>openssl.log
printf '%s\n' "subjectAltName=DNS:localhost,IP:127.0.0.1" "basicConstraints=CA:FALSE" >leaf.ext
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
    -extfile leaf.ext -out leaf.pem 2>>openssl.log
chmod 0644 leaf.key leaf.pem ca.pem
