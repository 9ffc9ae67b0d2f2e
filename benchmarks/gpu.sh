#!/usr/bin/env bash
# Everything that only a GPU can show, in one call: correctness, then speed, then (with arguments) training.
#
#   benchmarks/gpu.sh [OUT]                      tests and timings; results in OUT (default runs/gpu)
#   TRAIN=1 PHOTOS=dir FEATURES=file PAINTINGS=dir benchmarks/gpu.sh [OUT]
#                                                also trains the paintings' styles there, a minute each
#
# Needs: python with torch (CUDA build) and what else pyproject.toml names, and pytest.
set -euo pipefail
STYLES=(starry-night:van-gogh-starry-night-1889 great-wave:hokusai-great-wave-1831 the-scream:munch-the-scream-1893
    udnie:picabia-udnie-1913 water-lilies:monet-water-lilies-1919 the-kiss:klimt-the-kiss-1908
    grande-jatte:seurat-seine-at-la-grande-jatte-1888 composition-vii:kandinsky-composition-vii-1913
    blue-dancers:degas-blue-dancers-1897 cubist-trees:mondrian-cubist-composition-1913
    shipwreck:turner-wreck-of-a-transport-ship-1810 wheat-field:van-gogh-wheat-field-with-cypresses-1889
    waves:uehara-konen-waves-hatou-zu sunrise:monet-impression-sunrise-1872 eiffel-tower:delaunay-eiffel-tower-1911)
cd "$(dirname "$0")/.."
out=${1:-runs/gpu}
mkdir -p "$out"
export PYTHONPATH=$PWD FAIL_WITHOUT_CUDA=1
python3 -m pytest -m gpu tests/test_cuda.py -p no:cacheprovider | tee "$out/tests.txt"
python3 benchmarks/gpu.py | tee "$out/speed.txt"
for size in 640x360 1920x1080; do
    python3 -m stylize_live.cli.app bench --device cuda --size "$size" --json "$out/bench-$size.json" |
        tee "$out/bench-$size.txt"
done
if [[ ${TRAIN:-} == 1 ]]; then
    for pair in "${STYLES[@]}"; do
        python3 -m stylize_live.cli.app train "$PAINTINGS/${pair#*:}.jpg" -o "$out/${pair%%:*}.safetensors" \
            --photos "$PHOTOS" --features "$FEATURES" --device cuda --minutes "${MINUTES:-1}"
    done
fi
