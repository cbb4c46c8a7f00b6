#!/bin/sh
# The REST interface by hand: sh export/clients/curl.sh [http://127.0.0.1:8501]
set -eu
server="${1:-http://127.0.0.1:8501}/v1/models"

echo "is it there?"
curl -sf "$server/decoder"

echo "two pictures of seed 7, one value a row"
curl -sf "$server/decoder:predict" -d '{"signature_name": "sample",
  "instances": [{"num_samples": 2, "first": 0, "seed": 7, "temperature": 1.0}]}' | head -c 200; echo

echo "the same, in columns"
curl -sf "$server/decoder:predict" -d '{"signature_name": "sample",
  "inputs": {"num_samples": [2], "first": [0], "seed": [7], "temperature": [1.0]}}' | head -c 200; echo

echo "a refusal, with its status"
curl -s -w ' (HTTP %{http_code})\n' "$server/decoder:predict" -d '{"inputs": [[0.0]]}'
