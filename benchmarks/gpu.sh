#!/usr/bin/env bash
# Everything that only a GPU can show, in one call: correctness, then speed, then (with arguments) training.
#
#   benchmarks/gpu.sh [OUT]                      tests and timings; results in OUT (default runs/gpu)
#   TRAIN=1 PHOTOS=dir FEATURES=file PAINTINGS=dir benchmarks/gpu.sh [OUT]
#                                                also trains the shipped styles there, 4 minutes each
#
# Needs: python with torch (CUDA build), torchvision, numpy, OpenCV, safetensors, pytest, pydantic, cyclopts, rich.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/gpu}
mkdir -p "$out"
export PYTHONPATH=$PWD FAIL_WITHOUT_CUDA=1
python3 -m pytest -m gpu tests/test_cuda.py -p no:cacheprovider | tee "$out/tests.txt"
python3 benchmarks/gpu.py | tee "$out/speed.txt"
if [[ ${TRAIN:-} == 1 ]]; then
    for pair in starry-night:van-gogh-starry-night-1889 great-wave:hokusai-great-wave-1831 \
        the-scream:munch-the-scream-1893; do
        python3 -m stylize_live.cli.app train "$PAINTINGS/${pair#*:}.jpg" -o "$out/${pair%%:*}.safetensors" \
            --photos "$PHOTOS" --features "$FEATURES" --device cuda --minutes "${MINUTES:-4}"
    done
fi
