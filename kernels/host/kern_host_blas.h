/** OpenBLAS, loaded when it is asked for. */
#ifndef KERN_HOST_BLAS_H
#define KERN_HOST_BLAS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define KERN_HOST_ERROR (kern_host_error_quark())
GQuark kern_host_error_quark(void);

typedef enum KernHostError {
    KERN_HOST_ERROR_NO_BLAS, /* install it */
    KERN_HOST_ERROR_CPU,     /* the threads cannot be placed as asked */
} KernHostError;

/** How a product reads its operands, both stored by rows: B transposed (a forward product with
 *  weights), neither (the gradient of its input), A transposed (that of its weights). */
typedef enum KernHostSides { KERN_HOST_NT, KERN_HOST_NN, KERN_HOST_TN } KernHostSides;

typedef struct KernHostBlas KernHostBlas;

/** Loads OpenBLAS with @threads threads; NULL and @error where there is none. The library stays
 *  loaded when the handle is freed. */
KernHostBlas *kern_host_blas_open(int threads, GError **error);
void kern_host_blas_free(KernHostBlas *blas);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernHostBlas, kern_host_blas_free)

/** What the library says of itself: its version and options, and the kernels that it chose. */
const char *kern_host_blas_config(const KernHostBlas *blas);
const char *kern_host_blas_core(const KernHostBlas *blas);

/** Whether it multiplies bf16 (cblas_sbgemm). */
bool kern_host_blas_has_bf16(const KernHostBlas *blas);

/** C[m,n] = A B in fp32, with rows of A, B and C @lda, @ldb and @ldc apart. m = 1 without A
 *  transposed is a matrix-vector product. */
void kern_host_blas_multiply(const KernHostBlas *blas, KernHostSides sides, int m, int n, int k,
                             const float *a, int lda, const float *b, int ldb, float *c, int ldc);

/** The same from bf16 operands, densely stored; only where there is bf16. */
void kern_host_blas_multiply_bf16(const KernHostBlas *blas, KernHostSides sides, int m, int n,
                                  int k, const uint16_t *a, const uint16_t *b, float *c);

#endif
