#!/bin/bash
# The GPU measurement kit builds with one nvcc command in a copy of its folder. Its plan needs no GPU;
# without one the program says so; with one, every kernel agrees with the reference on the CPU.
. "$(dirname "$0")/../support/cli.sh"

case ${SANITIZE:-OFF} in OFF | 0 | '') ;; *) echo "skipped: nvcc knows no sanitizers" && exit 77 ;; esac
nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc) || { echo "skipped: nvcc is absent" && exit 77; }
cp "$ROOT"/kernels/gpu/* . || exit 1

# Code for a virtual GPU only, which the driver finishes: half the time of a build for a real one.
expect_exit 0 "$nvcc" -gencode arch=compute_80,code=compute_80 -o orrery-gpu-measure ./*.cu ./*.c -lcublasLt
[ -x orrery-gpu-measure ] || finish

expect_exit 0 ./orrery-gpu-measure --help
expect_text out '^ +--warm-l2 '
expect_exit 0 ./orrery-gpu-measure --plan --ops gemm --dtypes=fp8
expect_text out '^0 gemm fp8 batch 1 m 1 n 6144 k 4096$'
expect_exit 2 ./orrery-gpu-measure --dtypes fp8,fp7
expect_text err "unknown name 'fp7', known: fp32 tf32"

if compgen -G '/dev/nvidia[0-9]*' >/dev/null; then
    expect_exit 0 ./orrery-gpu-measure --check
    expect_text out '^agrees +gemm bf16 '
else
    expect_exit 3 ./orrery-gpu-measure
    expect_text err 'kern_gpu_lab.cu:[0-9]+: cudaSetDevice'
    expect_silence out
fi
finish
