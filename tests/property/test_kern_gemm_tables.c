/* The shipped coefficients of products against the measurements that they were fitted on: medians
 * of 6 % in 16 bits, of 8 % in fewer, 90th percentiles of 18 and 22 %. Left out where the tables
 * are not at hand. */
#include "scen_measured.h"
#include "scen_named.h"

#include <criterion/criterion.h>

typedef struct Shipped {
    TopoNode node;
    KernProfile profile;
    GStringChunk *strings;
} Shipped;

static Shipped shipped(const char *name)
{
    Shipped s = {.strings = g_string_chunk_new(1024)};
    g_autoptr(GError) error = NULL;
    bool bound = scen_named_bind(SCEN_CATALOG_NODE, name, NULL, s.strings, &s.node, &error) &&
                 scen_named_bind(SCEN_CATALOG_PROFILE, s.node.gpu.profile, NULL, s.strings,
                                 &s.profile, &error);
    cr_assert(bound, "%s: %s", name, error ? error->message : "");
    return s;
}

static void check(const char *node, const char *const files[], const KernGemmType types[],
                  size_t count)
{
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    for (size_t i = 0; files[i]; i++) {
        g_autofree char *path = g_build_filename(SHARED_DIR, "kernel_data", files[i], NULL);
        g_autoptr(GError) error = NULL;
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            cr_skip_test("no %s", path);
        cr_assert(scen_measured_read(measured, path, NULL, &error), "%s",
                  error ? error->message : "");
    }
    Shipped s = shipped(node);
    for (size_t t = 0; t < count; t++) {
        g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
        for (guint i = 0; i < measured->gemm->len; i++) {
            const KernGemmRow *row = &g_array_index(measured->gemm, KernGemmRow, i);
            if (kern_gemm_type(&row->shape) == types[t])
                g_array_append_val(rows, *row);
        }
        const KernGemmFit *fit = &s.profile.gemm[types[t]];
        const char *name = kern_gemm_type_name(types[t]);
        bool half = (int)types[t] == TOPO_DTYPE_BF16;
        KernFitError error = kern_fit_gemm_error(
            &s.node.gpu, (const KernGemmRow *)(void *)rows->data, rows->len, fit);
        cr_expect(rows->len == (guint)fit->rows, "%s %s: %u rows, %d shipped", node, name,
                  rows->len, (int)fit->rows);
        cr_expect(error.median_fraction <= (half ? 0.06 : 0.08), "%s %s: median %.3f", node, name,
                  error.median_fraction);
        cr_expect(error.p90_fraction <= (half ? 0.18 : 0.22), "%s %s: p90 %.3f", node, name,
                  error.p90_fraction);
        cr_expect(error.median_fraction - fit->median_error_fraction < 1e-3 &&
                      error.p90_fraction - fit->p90_error_fraction < 1e-3,
                  "%s %s: the error that is shipped is the error", node, name);
    }
    g_string_chunk_free(s.strings);
}

Test(kern_gemm_tables, a100)
{
    check(
        "dgx-a100-80gb",
        (const char *const[]){"a100_sxm.gemm.sglang-0.5.10.csv", "a100_sxm.gemm.trtllm-1.0.0.csv",
                              NULL},
        (const KernGemmType[]){(KernGemmType)TOPO_DTYPE_BF16, KERN_GEMM_INT8_WO, KERN_GEMM_INT4_WO},
        3);
}

static const KernGemmType hopper[] = {(KernGemmType)TOPO_DTYPE_BF16, (KernGemmType)TOPO_DTYPE_FP8,
                                      KERN_GEMM_FP8_BLOCK};

Test(kern_gemm_tables, h100)
{
    check("dgx-h100", (const char *const[]){"h100_sxm.gemm.vllm-0.24.0.csv", NULL}, hopper, 3);
}

Test(kern_gemm_tables, h200)
{
    check("hgx-h200", (const char *const[]){"h200_sxm.gemm.vllm-0.24.0.csv", NULL}, hopper, 3);
}

Test(kern_gemm_tables, b200)
{
    check("dgx-b200", (const char *const[]){"b200_sxm.gemm.vllm-0.24.0.csv", NULL},
          (const KernGemmType[]){(KernGemmType)TOPO_DTYPE_BF16, (KernGemmType)TOPO_DTYPE_FP8,
                                 (KernGemmType)TOPO_DTYPE_FP4, KERN_GEMM_FP8_BLOCK},
          4);
}

/* One row against weights of 32 MiB in 16 bits and more; below, the plugin that was measured pays
 * three launches of cuBLAS. */
Test(kern_gemm_tables, narrow_weights_are_never_slower_for_one_row_on_a100)
{
    static const int64_t sizes[] = {4096, 8192, 14336, 28672, 57344};
    Shipped s = shipped("dgx-a100-80gb");
    const KernDevice device = {.gpu = &s.node.gpu, .profile = &s.profile, .clock_fraction = 1.0};
    for (size_t i = 0; i < 25; i++) {
        KernGemmShape wide = {
            .batch = 1, .m = 1, .n = sizes[i / 5], .k = sizes[i % 5], .dtype = TOPO_DTYPE_BF16};
        KernGemmShape byte = wide, nibble = wide;
        byte.weights = KERN_WEIGHTS_INT8;
        nibble.weights = KERN_WEIGHTS_INT4;
        double wide_s = kern_gemm_s(&device, &wide), byte_s = kern_gemm_s(&device, &byte);
        double nibble_s = kern_gemm_s(&device, &nibble);
        cr_expect(nibble_s < wide_s && byte_s < wide_s, "(%d, %d): %g, %g, %g s", (int)wide.n,
                  (int)wide.k, wide_s, byte_s, nibble_s);
    }
    g_string_chunk_free(s.strings);
}
