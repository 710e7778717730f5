/* What the GPU measurement kit prints is what the generic form of measured tables reads. */
#include "kern_gpu_csv.h"
#include "kern_gpu_plan.h"
#include "scen_measured.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include <math.h>
#include <unistd.h>

/* A latency that tells the row. */
static double latency_of(size_t i)
{
    return 1e-6 * (double)(i + 1);
}

static size_t quick_plan(KernGpuShape *shapes, size_t room)
{
    char *const arguments[] = {"kit", "--quick"};
    KernGpuOptions options;
    char error[200];
    cr_assert(kern_gpu_options_parse(&options, 2, arguments, error, sizeof error));
    size_t count = kern_gpu_plan(&options, shapes, room);
    cr_assert(count <= room, "%zu", count);
    return count;
}

static ScenMeasured *printed_and_read(const KernGpuShape *shapes, size_t count)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int descriptor = g_file_open_tmp("kit-XXXXXX.csv", &path, &error);
    cr_assert(descriptor >= 0);
    FILE *out = fdopen(descriptor, "w");
    kern_gpu_csv_comment(out, "gpu: %s", "A GPU, with a comma");
    kern_gpu_csv_header(out);
    for (size_t i = 0; i < count; i++)
        kern_gpu_csv_row(out, &shapes[i], (KernGpuSummary){latency_of(i), 0.01}, "a, b");
    kern_gpu_csv_comment(out, "unmeasured: gemm");
    fclose(out);
    ScenMeasured *measured = scen_measured_new();
    cr_expect(scen_measured_read(measured, path, NULL, &error), "%s", error ? error->message : "");
    g_remove(path);
    return measured;
}

static void expect_product(const KernGemmRow *row, const KernGpuShape *shape, size_t i)
{
    cr_expect(row->shape.batch == shape->batch && row->shape.m == shape->m &&
                  row->shape.n == shape->n && row->shape.k == shape->k && !row->shape.quantised,
              "shape %zu", i);
    cr_expect(fabs(row->seconds / latency_of(i) - 1.0) < 1e-9, "shape %zu: %g", i, row->seconds);
}

static void expect_decode(const KernAttentionRow *row, const KernGpuShape *shape, size_t i)
{
    cr_expect(row->shape.batch == shape->batch * shape->heads &&
                  row->shape.kv_batch == shape->batch * shape->kv_heads &&
                  row->shape.queries == 1 && row->shape.keys == shape->context &&
                  row->shape.head_dim == shape->head_dim,
              "shape %zu", i);
    cr_expect(fabs(row->seconds / latency_of(i) - 1.0) < 1e-9, "shape %zu: %g", i, row->seconds);
}

Test(kern_gpu_reader, takes_each_product_and_decode_and_counts_the_rest)
{
    static KernGpuShape shapes[1000];
    size_t count = quick_plan(shapes, G_N_ELEMENTS(shapes));
    g_autoptr(ScenMeasured) measured = printed_and_read(shapes, count);
    guint products = 0, decodes = 0;
    for (size_t i = 0; i < count; i++) {
        if (shapes[i].op == KERN_GPU_GEMM && shapes[i].type != KERN_GPU_INT8) {
            cr_assert(products < measured->gemm->len);
            expect_product(&g_array_index(measured->gemm, KernGemmRow, products), &shapes[i], i);
            products++;
        } else if (shapes[i].op == KERN_GPU_ATTENTION_DECODE) {
            cr_assert(decodes < measured->attention->len);
            expect_decode(&g_array_index(measured->attention, KernAttentionRow, decodes),
                          &shapes[i], i);
            decodes++;
        }
    }
    cr_expect(products > 300 && products == measured->gemm->len);
    cr_expect(decodes > 10 && decodes == measured->attention->len);
    cr_expect(measured->skipped > 0 && (size_t)measured->skipped + products + decodes == count);
}
