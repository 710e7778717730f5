/** The operations under measurement, each laid out in the lab's arena and ready to be timed. */
#ifndef KERN_GPU_OPS_CUH
#define KERN_GPU_OPS_CUH

#include "kern_gpu_lab.cuh"

/** Tensors of one shape inside the arena; those that an operation does not have are NULL. Decode:
 *  @inputs are queries, keys, values. Unfused attention: the same, and @scratch are the scores. */
struct KernGpuTensors {
    void *inputs[3];
    void *output;
    void *scratch;
};

/** A cuBLASLt product with its chosen algorithm. */
struct KernGpuMatmul {
    cublasLtMatmulDesc_t description;
    cublasLtMatrixLayout_t w_layout;
    cublasLtMatrixLayout_t a_layout;
    cublasLtMatrixLayout_t d_layout;
    cublasLtMatmulAlgo_t algorithm;
    const void *w;
    const void *a;
    void *d;
    union {
        float real;
        int32_t whole;
    } alpha, beta;
};

/** Makes room for the tensors of @shape and fills the inputs with noise. */
bool kern_gpu_tensors_lay(KernGpuLab *lab, const KernGpuShape *shape, KernGpuTensors *tensors);

/** Times @shape once its tensors are laid. @software, of @size bytes, gets the name of what ran. */
bool kern_gpu_ops_time(KernGpuLab *lab, const KernGpuShape *shape, const KernGpuTensors *tensors,
                       KernGpuSummary *latency, char *software, size_t size);

/** Runs @shape once and waits, for the check. */
bool kern_gpu_ops_run(KernGpuLab *lab, const KernGpuShape *shape, const KernGpuTensors *tensors);

/** Prepares D[m,n] = alpha A[m,k] W[n,k]^T, or A[m,k] W[k,n] with @w_is_k_by_n (fp16 and bf16
 * only), with the algorithm that cuBLASLt holds best. The caller clears it, also after a failure.
 */
bool kern_gpu_matmul_prepare(KernGpuLab *lab, const KernGpuShape *shape, const void *a,
                             const void *w, void *d, float alpha, bool w_is_k_by_n,
                             KernGpuMatmul *matmul);

/** Tries the algorithms that the heuristic returns and keeps the fastest. */
bool kern_gpu_matmul_tune(KernGpuLab *lab, KernGpuMatmul *matmul);

void kern_gpu_matmul_clear(KernGpuMatmul *matmul);

/** A KernGpuCall whose context is a KernGpuMatmul. */
bool kern_gpu_matmul_call(KernGpuLab *lab, const void *matmul);

/** What a pass or decode attention works on: the context of their KernGpuCall. */
struct KernGpuWork {
    KernGpuShape shape;
    KernGpuTensors tensors;
};

/** KernGpuCalls whose context is a KernGpuWork. */
bool kern_gpu_pass_call(KernGpuLab *lab, const void *work);
bool kern_gpu_decode_call(KernGpuLab *lab, const void *work);

#endif
