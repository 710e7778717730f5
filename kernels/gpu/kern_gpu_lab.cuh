/** The GPU under measurement: its stream, its memory, its clock, and how to time a call on it. */
#ifndef KERN_GPU_LAB_CUH
#define KERN_GPU_LAB_CUH

#include "kern_gpu_options.h"
#include "kern_gpu_stats.h"

#include <cublasLt.h>
#include <cuda_runtime.h>

#if CUDART_VERSION < 11080
#error "the kit needs the CUDA toolkit 11.8 or later: e4m3 products came with it"
#endif

struct KernGpuLab {
    const KernGpuOptions *options;
    int sms;
    int capability; /* 10 major + minor */
    size_t l2_bytes;
    cudaStream_t stream;
    cudaEvent_t start;
    cudaEvent_t stop;
    cublasLtHandle_t blas;
    void *workspace; /* of cuBLASLt */
    void *eraser;    /* read to empty the L2 */
    size_t eraser_bytes;
    unsigned char *arena; /* holds the tensors of the shape under measurement */
    size_t arena_bytes;
    float *ones;     /* scale factors of fp8 products */
    char error[400]; /* why the last function returned false */
};

/** Enqueues one call of an operation on the lab's stream. */
typedef bool (*KernGpuCall)(KernGpuLab *lab, const void *context);

/** Bytes of cuBLASLt's workspace: what its documentation recommends for Hopper. */
enum { KERN_GPU_WORKSPACE_BYTES = 32 << 20 };

/** Opens GPU options->device. @options is borrowed. False: lab->error says why. */
bool kern_gpu_lab_open(KernGpuLab *lab, const KernGpuOptions *options);

/** Frees everything. A half-opened lab is legal. */
void kern_gpu_lab_close(KernGpuLab *lab);

/** Prints what the GPU and its software are, as comments. */
bool kern_gpu_lab_describe(KernGpuLab *lab, FILE *out);

/** Makes the arena hold @bytes. False: it does not fit beside what else uses the memory. */
bool kern_gpu_lab_reserve(KernGpuLab *lab, size_t bytes);

/** Fills @count elements with reproducible noise, uniform in [-1, 1), or all integers of int8.
 * Noise, because products of zeros draw less power and run at higher clocks. */
bool kern_gpu_lab_fill(KernGpuLab *lab, void *tensor, KernGpuType type, int64_t count);

/** Times @call: warms up, then repeats it within the options' budget, with the L2 emptied before
 * each repeat, or back to back with warm L2. With @screening only a few repeats are made. */
bool kern_gpu_lab_time(KernGpuLab *lab, KernGpuCall call, const void *context, bool screening,
                       KernGpuSummary *latency);

/** The time of a kernel that does nothing, measured in the same way: the floor of every row. */
bool kern_gpu_lab_floor(KernGpuLab *lab, KernGpuSummary *latency);

/** Whether the GPU still answers; after some faults it does not until the process ends. */
bool kern_gpu_lab_is_alive(const KernGpuLab *lab);

/** Keeps "file:line: call: text" as the lab's error; returns false. */
bool kern_gpu_lab_fail(KernGpuLab *lab, const char *file, int line, const char *call,
                       const char *text);

/** Returns false from the calling function when the CUDA call fails. */
#define KERN_GPU_TRY(lab, call)                                                                    \
    do {                                                                                           \
        cudaError_t status_ = (call);                                                              \
        if (status_ != cudaSuccess)                                                                \
            return kern_gpu_lab_fail(lab, __FILE__, __LINE__, #call, cudaGetErrorString(status_)); \
    } while (0)

/** Likewise for a cuBLASLt call. */
#define KERN_GPU_TRY_BLAS(lab, call)                                                               \
    do {                                                                                           \
        cublasStatus_t status_ = (call);                                                           \
        if (status_ != CUBLAS_STATUS_SUCCESS)                                                      \
            return kern_gpu_lab_fail(lab, __FILE__, __LINE__, #call,                               \
                                     cublasLtGetStatusString(status_));                            \
    } while (0)

#endif
