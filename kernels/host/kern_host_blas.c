/* OpenBLAS by dlopen.
 *
 * The library starts threads as soon as it is loaded, and only calibration needs it, so nothing
 * links it: a build needs neither its headers nor its library, and an installed one is found at run
 * time. The integers of its C interface are 32 bits wide in the library of that name (the ILP64
 * variant has another); the values of the enums are those of every cblas.h.
 *
 * A product with one row is handed to GEMV, as inference engines do: the GEMM of OpenBLAS 0.3.21
 * packs the matrix first and takes three times as long. */
#include "kern_host_blas.h"

#include <dlfcn.h>
#include <string.h>

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };

typedef void (*GemmFunc)(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);
typedef void (*GemvFunc)(int order, int t, int m, int n, float alpha, const float *a, int lda,
                         const float *x, int incx, float beta, float *y, int incy);
typedef void (*Bf16Func)(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const uint16_t *a, int lda, const uint16_t *b, int ldb, float beta,
                         float *c, int ldc);

struct KernHostBlas {
    GemmFunc gemm;
    GemvFunc gemv;
    Bf16Func bf16; /* NULL where the library was built without */
    char *config;
    char *core;
};

G_DEFINE_QUARK(kern_host_error_quark, kern_host_error)

/* POSIX lets a data pointer from dlsym() become a function pointer; ISO C needs the copy. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

KernHostBlas *kern_host_blas_open(int threads, GError **error)
{
    static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
    void *library = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(names) && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        g_set_error(error, KERN_HOST_ERROR, KERN_HOST_ERROR_NO_BLAS,
                    "no OpenBLAS can be loaded: install libopenblas-dev and try again");
        return NULL;
    }
    g_autoptr(KernHostBlas) blas = g_new0(KernHostBlas, 1);
    void (*set_threads)(int) = NULL;
    char *(*config)(void) = NULL;
    char *(*core)(void) = NULL;
    if (!find(library, "cblas_sgemm", &blas->gemm) || !find(library, "cblas_sgemv", &blas->gemv) ||
        !find(library, "openblas_set_num_threads", &set_threads) ||
        !find(library, "openblas_get_config", &config) ||
        !find(library, "openblas_get_corename", &core)) {
        g_set_error(error, KERN_HOST_ERROR, KERN_HOST_ERROR_NO_BLAS,
                    "the OpenBLAS that was loaded lacks its C interface: %s", dlerror());
        return NULL;
    }
    find(library, "cblas_sbgemm", &blas->bf16);
    set_threads(threads);
    blas->config = g_strstrip(g_strdup(config()));
    blas->core = g_strdup(core());
    return g_steal_pointer(&blas);
}

void kern_host_blas_free(KernHostBlas *blas)
{
    if (!blas)
        return;
    g_free(blas->config);
    g_free(blas->core);
    g_free(blas);
}

const char *kern_host_blas_config(const KernHostBlas *blas)
{
    return blas->config;
}

const char *kern_host_blas_core(const KernHostBlas *blas)
{
    return blas->core;
}

bool kern_host_blas_has_bf16(const KernHostBlas *blas)
{
    return blas->bf16 != NULL;
}

void kern_host_blas_multiply(const KernHostBlas *blas, KernHostSides sides, int m, int n, int k,
                             const float *a, int lda, const float *b, int ldb, float *c, int ldc)
{
    int ta = sides == KERN_HOST_TN ? TRANSPOSED : PLAIN;
    int tb = sides == KERN_HOST_NT ? TRANSPOSED : PLAIN;
    if (m > 1 || sides == KERN_HOST_TN)
        blas->gemm(ROW_MAJOR, ta, tb, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, ldc);
    else if (sides == KERN_HOST_NT)
        blas->gemv(ROW_MAJOR, PLAIN, n, k, 1.0f, b, ldb, a, 1, 0.0f, c, 1);
    else
        blas->gemv(ROW_MAJOR, TRANSPOSED, k, n, 1.0f, b, ldb, a, 1, 0.0f, c, 1);
}

void kern_host_blas_multiply_bf16(const KernHostBlas *blas, KernHostSides sides, int m, int n,
                                  int k, const uint16_t *a, const uint16_t *b, float *c)
{
    bool ta = sides == KERN_HOST_TN, tb = sides == KERN_HOST_NT;
    blas->bf16(ROW_MAJOR, ta ? TRANSPOSED : PLAIN, tb ? TRANSPOSED : PLAIN, m, n, k, 1.0f, a,
               ta ? m : k, b, tb ? k : n, 0.0f, c, n);
}
