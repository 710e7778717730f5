/* Products through cuBLASLt.
 *
 * cuBLASLt thinks in columns. A row-major A[m,k] is a column-major k x m matrix, so
 * D[m,n] = A[m,k] W[n,k]^T is asked for as D' = op(W') A' with W' (k x n) transposed and A' (k x m)
 * as it is: the "TN" form, the only one that e4m3 products have on Ada and Hopper, and the layout
 * in which frameworks keep the weights of a linear layer. The second product of unfused attention
 * takes the values as they lie, [k,n]: "NN".
 *
 * Types (cuBLAS documentation, table of cublasLtMatmul()): fp32, fp16 and bf16 accumulate in fp32
 * and return their own type; tf32 is fp32 data with a tf32 compute type; e4m3 returns bf16, with
 * one fp32 scale a tensor, read by pointer, and fast accumulation, as inference engines run it;
 * int8 accumulates in and returns int32, so alpha and beta are integers there.
 *
 * The heuristic's first answer is not always the fastest. Its first few are timed briefly, and the
 * fastest is measured again from scratch, so that the luck of the choice stays out of the figure.
 */
#include "kern_gpu_ops.cuh"

#include <stdlib.h>
#include <string.h>

static const struct {
    cublasComputeType_t compute;
    cudaDataType_t scale;
    cudaDataType_t input;
    cudaDataType_t result;
} kinds[KERN_GPU_TYPE_COUNT] = {
  /* fp32 */ {CUBLAS_COMPUTE_32F,           CUDA_R_32F, CUDA_R_32F,     CUDA_R_32F },
 /* tf32 */
    {CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, CUDA_R_32F,     CUDA_R_32F },
 /* fp16 */
    {CUBLAS_COMPUTE_32F,           CUDA_R_32F, CUDA_R_16F,     CUDA_R_16F },
 /* bf16 */
    {CUBLAS_COMPUTE_32F,           CUDA_R_32F, CUDA_R_16BF,    CUDA_R_16BF},
 /* fp8 */
    {CUBLAS_COMPUTE_32F,           CUDA_R_32F, CUDA_R_8F_E4M3, CUDA_R_16BF},
 /* int8 */
    {CUBLAS_COMPUTE_32I,           CUDA_R_32I, CUDA_R_8I,      CUDA_R_32I },
};

static_assert(KERN_GPU_FP32 == 0 && KERN_GPU_INT8 == 5 && KERN_GPU_TYPE_COUNT == 6,
              "the rows of kinds follow KernGpuType");

/* A column-major matrix of @rows x @columns, packed, @batch of them in a row. */
static bool lay_out(KernGpuLab *lab, cudaDataType_t type, int64_t rows, int64_t columns,
                    int64_t batch, cublasLtMatrixLayout_t *layout)
{
    int32_t count = (int32_t)batch;
    int64_t stride = rows * columns;
    KERN_GPU_TRY_BLAS(
        lab, cublasLtMatrixLayoutCreate(layout, type, (uint64_t)rows, (uint64_t)columns, rows));
    KERN_GPU_TRY_BLAS(lab, cublasLtMatrixLayoutSetAttribute(
                               *layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count));
    KERN_GPU_TRY_BLAS(
        lab, cublasLtMatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                              &stride, sizeof stride));
    return true;
}

static bool set(KernGpuLab *lab, KernGpuMatmul *matmul, cublasLtMatmulDescAttributes_t attribute,
                const void *value, size_t size)
{
    KERN_GPU_TRY_BLAS(lab,
                      cublasLtMatmulDescSetAttribute(matmul->description, attribute, value, size));
    return true;
}

static bool describe(KernGpuLab *lab, KernGpuType type, bool w_is_k_by_n, KernGpuMatmul *matmul)
{
    const cublasOperation_t w_order = w_is_k_by_n ? CUBLAS_OP_N : CUBLAS_OP_T;
    const cublasOperation_t a_order = CUBLAS_OP_N;
    const int8_t fast = 1;
    const void *scale = lab->ones;
    KERN_GPU_TRY_BLAS(lab, cublasLtMatmulDescCreate(&matmul->description, kinds[type].compute,
                                                    kinds[type].scale));
    if (!set(lab, matmul, CUBLASLT_MATMUL_DESC_TRANSA, &w_order, sizeof w_order) ||
        !set(lab, matmul, CUBLASLT_MATMUL_DESC_TRANSB, &a_order, sizeof a_order))
        return false;
    if (type != KERN_GPU_FP8)
        return true;
    return set(lab, matmul, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &scale, sizeof scale) &&
           set(lab, matmul, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &scale, sizeof scale) &&
           set(lab, matmul, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &fast, sizeof fast);
}

/* Asks for @most algorithms, best first; @count is how many there are, at least one. */
static bool ask(KernGpuLab *lab, const KernGpuMatmul *matmul, int most,
                cublasLtMatmulHeuristicResult_t *found, int *count)
{
    const uint64_t workspace = KERN_GPU_WORKSPACE_BYTES;
    cublasLtMatmulPreference_t preference = NULL;
    KERN_GPU_TRY_BLAS(lab, cublasLtMatmulPreferenceCreate(&preference));
    cublasStatus_t status = cublasLtMatmulPreferenceSetAttribute(
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
    *count = 0;
    if (status == CUBLAS_STATUS_SUCCESS)
        status = cublasLtMatmulAlgoGetHeuristic(lab->blas, matmul->description, matmul->w_layout,
                                                matmul->a_layout, matmul->d_layout,
                                                matmul->d_layout, preference, most, found, count);
    cublasLtMatmulPreferenceDestroy(preference);
    if (status == CUBLAS_STATUS_SUCCESS && *count == 0)
        status = CUBLAS_STATUS_NOT_SUPPORTED;
    KERN_GPU_TRY_BLAS(lab, status);
    return true;
}

bool kern_gpu_matmul_prepare(KernGpuLab *lab, const KernGpuShape *shape, const void *a,
                             const void *w, void *d, float alpha, bool w_is_k_by_n,
                             KernGpuMatmul *matmul)
{
    const KernGpuShape *s = shape;
    cublasLtMatmulHeuristicResult_t best;
    int count;
    memset(matmul, 0, sizeof *matmul);
    matmul->a = a;
    matmul->w = w;
    matmul->d = d;
    if (s->type == KERN_GPU_INT8)
        matmul->alpha.whole = 1;
    else
        matmul->alpha.real = alpha;
    int64_t w_rows = w_is_k_by_n ? s->n : s->k;
    int64_t w_columns = w_is_k_by_n ? s->k : s->n;
    cudaDataType_t input = kinds[s->type].input;
    if (!describe(lab, s->type, w_is_k_by_n, matmul) ||
        !lay_out(lab, input, w_rows, w_columns, s->batch, &matmul->w_layout) ||
        !lay_out(lab, input, s->k, s->m, s->batch, &matmul->a_layout) ||
        !lay_out(lab, kinds[s->type].result, s->n, s->m, s->batch, &matmul->d_layout) ||
        !ask(lab, matmul, 1, &best, &count))
        return false;
    KERN_GPU_TRY_BLAS(lab, best.state);
    matmul->algorithm = best.algo;
    return true;
}

/* Times each of @found and keeps the fastest; an algorithm that fails is passed over, unless all
 * do. */
static bool keep_fastest(KernGpuLab *lab, KernGpuMatmul *matmul,
                         const cublasLtMatmulHeuristicResult_t *found, int count)
{
    cublasLtMatmulAlgo_t fastest = matmul->algorithm;
    double least = 0.0;
    for (int i = 0; i < count; i++) {
        KernGpuSummary latency;
        if (found[i].state != CUBLAS_STATUS_SUCCESS)
            continue;
        matmul->algorithm = found[i].algo;
        if (!kern_gpu_lab_time(lab, kern_gpu_matmul_call, matmul, true, &latency))
            continue;
        if (least == 0.0 || latency.median < least) {
            least = latency.median;
            fastest = found[i].algo;
        }
    }
    matmul->algorithm = fastest;
    return least > 0.0;
}

bool kern_gpu_matmul_tune(KernGpuLab *lab, KernGpuMatmul *matmul)
{
    int most = lab->options->algorithms, count;
    if (most == 1)
        return true;
    cublasLtMatmulHeuristicResult_t *found =
        (cublasLtMatmulHeuristicResult_t *)calloc((size_t)most, sizeof *found);
    if (found == NULL)
        return kern_gpu_lab_fail(lab, __FILE__, __LINE__, "calloc", "out of memory");
    bool well = ask(lab, matmul, most, found, &count) && keep_fastest(lab, matmul, found, count);
    free(found);
    return well;
}

void kern_gpu_matmul_clear(KernGpuMatmul *matmul)
{
    if (matmul->d_layout != NULL)
        cublasLtMatrixLayoutDestroy(matmul->d_layout);
    if (matmul->a_layout != NULL)
        cublasLtMatrixLayoutDestroy(matmul->a_layout);
    if (matmul->w_layout != NULL)
        cublasLtMatrixLayoutDestroy(matmul->w_layout);
    if (matmul->description != NULL)
        cublasLtMatmulDescDestroy(matmul->description);
    memset(matmul, 0, sizeof *matmul);
}

bool kern_gpu_matmul_call(KernGpuLab *lab, const void *context)
{
    const KernGpuMatmul *matmul = (const KernGpuMatmul *)context;
    KERN_GPU_TRY_BLAS(lab, cublasLtMatmul(lab->blas, matmul->description, &matmul->alpha, matmul->w,
                                          matmul->w_layout, matmul->a, matmul->a_layout,
                                          &matmul->beta, matmul->d, matmul->d_layout, matmul->d,
                                          matmul->d_layout, &matmul->algorithm, lab->workspace,
                                          KERN_GPU_WORKSPACE_BYTES, lab->stream));
    return true;
}
