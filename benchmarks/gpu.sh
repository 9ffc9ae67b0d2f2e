#!/usr/bin/env bash
# Everything that only a GPU can show, in one call: correctness, then speed, then (with arguments) training.
#
#   benchmarks/gpu.sh [OUT]                      tests and timings; results in OUT (default runs/gpu)
#   TRAIN=1 PHOTOS=dir FEATURES=file PAINTINGS="dir dir" benchmarks/gpu.sh [OUT]
#                                                also trains the gallery there (MINUTES, 10 if not said)
#
# Needs: python with torch (CUDA build) and what else pyproject.toml names, and pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/gpu}
mkdir -p "$out"
export PYTHONPATH=$PWD FAIL_WITHOUT_CUDA=1
python3 -m pytest -m gpu tests/engine/cuda/test_cuda.py tests/training/test_conv_relu.py tests/engine/matting -p no:cacheprovider | tee "$out/tests.txt"
python3 benchmarks/gpu.py | tee "$out/speed.txt"
python3 benchmarks/matte_gpu.py samples/flower.mp4 | tee "$out/matte.txt"
for size in 640x360 1920x1080; do
    python3 -m stylize_live.cli.app bench --device cuda --size "$size" --output "$out/bench-$size.json" |
        tee "$out/bench-$size.txt"
done
if [[ ${TRAIN:-} == 1 ]]; then
    # shellcheck disable=SC2086  # several folders
    python3 benchmarks/gallery.py -o "$out/styles" --photos "$PHOTOS" --features "$FEATURES" --device cuda \
        --paintings $PAINTINGS --jobs 13 --batch 12 --crop 192 --minutes "${MINUTES:-10}" | tee "$out/styles.txt"
fi
