#!/usr/bin/env bash
# Whether each named servable has a version that answers: bash healthcheck.sh encoder decoder vae
#
# For inside the container: TensorFlow Serving's image has bash, and neither curl nor wget. A status
# is read by its field, because a word would be found in UNAVAILABLE and in messages, too.
set -u
address=${TFVAE_REST:-127.0.0.1/8501}

has_available_version() {
  local reply
  exec 3<>"/dev/tcp/$address" || return 1
  printf 'GET /v1/models/%s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  reply=$(timeout 3 cat <&3)
  exec 3>&-
  [[ $reply =~ ^HTTP/1\.[01]\ 200 && $reply =~ \"state\":[[:space:]]*\"AVAILABLE\" ]]
}

[[ $# -gt 0 ]] || { echo "healthcheck.sh: name the servables that must be available"; exit 2; }
for servable in "$@"; do
  has_available_version "$servable" || { echo "$servable: no version is AVAILABLE"; exit 1; }
done
