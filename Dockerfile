# The program on a server with an NVIDIA GPU; how to run it: docs/installing.md.
FROM python:3.12-slim

# libgl1 and libglib2.0-0: OpenCV. gcc and libc6-dev: Triton builds the GPU's kernels when they are first needed.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

COPY . /source
RUN pip install --no-cache-dir '/source[fast,webrtc]' && rm -r /source

# NVDEC and NVENC ("video") beside computing.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
RUN useradd --create-home painter
USER painter
# Snapshots, recordings and presets are written here.
WORKDIR /home/painter

ENTRYPOINT ["stylize-live"]
CMD ["studio", "--source", "browser"]
