#!/bin/sh
# Self-made certificates for the proxy: sh export/proxy/certificates.sh FOLDER NAME_OR_ADDRESS...
#
# Writes an authority (ca.crt), the server's certificate for the names that clients use, and one for a
# client (mutual TLS). For tests and closed networks; a public name gets its certificate from a
# public authority. Whoever has ca.key can make more of them: keep it elsewhere.
set -eu
folder=$1 && shift
mkdir -p "$folder" && cd "$folder" # nginx's workers, who are not root, read the users in it
umask 077

names=""
for name in "$@"; do
  case $name in
    *:* | *[0-9].[0-9]*.[0-9]*.[0-9]*) names="$names,IP:$name" ;;
    *) names="$names,DNS:$name" ;;
  esac
done

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
signed() { # name, subject, extensions
  new_key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf '%s\n' "$3" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
    -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.csr" "$1.ext"
}

new_key ca
openssl req -x509 -new -key ca.key -days 3650 -subj "/CN=tfvae example authority" -out ca.crt
signed server "$1" "subjectAltName=${names#,}
extendedKeyUsage=serverAuth"
signed client client extendedKeyUsage=clientAuth
