/* Statistics, the table, and the CPU's readings of the GPU's number formats. */
#include "kern_gpu_csv.h"
#include "kern_gpu_stats.h"
#include "kern_gpu_value.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_near(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance;
}

Test(kern_gpu_stats, the_median_is_the_middle_or_the_mean_of_the_two)
{
    double odd[] = {5.0, 1.0, 3.0}, even[] = {4.0, 1.0, 3.0, 2.0}, one[] = {7.0};
    cr_expect(is_near(kern_gpu_summary(odd, 3).median, 3.0, 0.0));
    cr_expect(is_near(kern_gpu_summary(even, 4).median, 2.5, 1e-15));
    cr_expect(is_near(kern_gpu_summary(one, 1).median, 7.0, 0.0));
    cr_expect(is_near(kern_gpu_summary(one, 1).spread_fraction, 0.0, 0.0));
}

/* 0, 1, ... 100: the 84th less the 16th percentile is 68, its half over the median 0.68. */
Test(kern_gpu_stats, the_spread_is_half_of_the_middle_two_thirds_over_the_median)
{
    double values[101];
    for (int i = 0; i <= 100; i++)
        values[i] = (i * 37) % 101;
    KernGpuSummary summary = kern_gpu_summary(values, 101);
    cr_expect(is_near(summary.median, 50.0, 1e-12));
    cr_expect(is_near(summary.spread_fraction, 0.68, 1e-12), "%g", summary.spread_fraction);
}

Test(kern_gpu_stats, one_outlier_moves_nothing)
{
    double calm[11], hit[11];
    for (int i = 0; i < 11; i++)
        calm[i] = hit[i] = 1.0 + 0.001 * i;
    hit[10] = 1000.0;
    KernGpuSummary a = kern_gpu_summary(calm, 11), b = kern_gpu_summary(hit, 11);
    cr_expect(is_near(a.median, b.median, 0.0));
    cr_expect(is_near(a.spread_fraction, b.spread_fraction, 0.0));
}

Test(kern_gpu_stats, repeats_keep_to_the_budget_and_its_bounds)
{
    cr_expect(kern_gpu_repeats(1e-6, 0.2, 5, 50) == 50);
    cr_expect(kern_gpu_repeats(0.01, 0.2, 5, 50) == 20);
    cr_expect(kern_gpu_repeats(1.0, 0.2, 5, 50) == 5);
    cr_expect(kern_gpu_repeats(0.0, 0.2, 5, 50) == 50);
}

/* What @print leaves in a file, as a string in @text. */
static void print_row(FILE *out)
{
    KernGpuShape s = {
        .op = KERN_GPU_GEMM, .type = KERN_GPU_BF16, .batch = 1, .m = 3, .n = 16, .k = 32};
    kern_gpu_csv_row(out, &s, (KernGpuSummary){12.34567e-6, 0.0123}, "cublaslt-130100");
}

static void print_decode(FILE *out)
{
    KernGpuShape s = {.op = KERN_GPU_ATTENTION_DECODE,
                      .type = KERN_GPU_BF16,
                      .batch = 2,
                      .m = 1,
                      .heads = 8,
                      .kv_heads = 2,
                      .head_dim = 64,
                      .context = 100};
    kern_gpu_csv_row(out, &s, (KernGpuSummary){1e-3, 0.0}, "a \"b\", c");
}

static void print_comment(FILE *out)
{
    kern_gpu_csv_comment(out, "error %d: %s", 7, "one\ngemm,bf16,1\r\n");
}

static void print_header(FILE *out)
{
    kern_gpu_csv_header(out);
}

static void expect_printed(void (*print)(FILE *), const char *want)
{
    char text[600] = "";
    FILE *file = tmpfile();
    cr_assert(file != NULL);
    print(file);
    rewind(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    cr_expect(strcmp(text, want) == 0, "%s instead of %s", text, want);
}

Test(kern_gpu_csv, a_row_has_a_field_for_each_name_of_the_header)
{
    expect_printed(print_header, "op,dtype,batch,m,n,k,heads,kv_heads,head_dim,context,bytes,"
                                 "latency_us,spread,software\n");
    expect_printed(print_row, "gemm,bf16,1,3,16,32,,,,,1312,12.3457,0.0123,cublaslt-130100\n");
}

Test(kern_gpu_csv, text_with_commas_or_quotes_is_quoted)
{
    expect_printed(print_decode, "attention_decode,bf16,2,1,,,8,2,64,100,106496,1000.0000,0.0000,"
                                 "\"a \"\"b\"\", c\"\n");
}

Test(kern_gpu_csv, a_comment_stays_on_its_line)
{
    expect_printed(print_comment, "# error 7: one gemm,bf16,1  \n");
}

static const struct {
    KernGpuType type;
    uint32_t bits;
    double want;
} values[] = {
    {KERN_GPU_FP32, 0x40490fdb, 3.1415927410125732   },
    {KERN_GPU_TF32, 0xbf800000, -1.0                 },
    {KERN_GPU_FP16, 0x3c00,     1.0                  },
    {KERN_GPU_FP16, 0xc000,     -2.0                 },
    {KERN_GPU_FP16, 0x0001,     5.9604644775390625e-8},
    {KERN_GPU_FP16, 0x7bff,     65504.0              },
    {KERN_GPU_FP16, 0xfc00,     -INFINITY            },
    {KERN_GPU_BF16, 0x3fc0,     1.5                  },
    {KERN_GPU_FP8,  0x38,       1.0                  },
    {KERN_GPU_FP8,  0xb9,       -1.125               },
    {KERN_GPU_FP8,  0x7e,       448.0                },
    {KERN_GPU_FP8,  0x01,       0.001953125          },
    {KERN_GPU_INT8, 0x7f,       127.0                },
    {KERN_GPU_INT8, 0x80,       -128.0               },
};

Test(kern_gpu_value, reads_every_number_format)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double got = kern_gpu_value(values[i].type, &values[i].bits, 0);
        cr_expect(got <= values[i].want && got >= values[i].want, "case %zu: %g", i, got);
    }
    uint8_t not_a_number = 0xff;
    cr_expect(isnan(kern_gpu_value(KERN_GPU_FP8, &not_a_number, 0)));
    uint16_t also_none = 0x7e00;
    cr_expect(isnan(kern_gpu_value(KERN_GPU_FP16, &also_none, 0)));
}

Test(kern_gpu_value, a_product_takes_a_row_of_each_matrix)
{
    const float a[] = {1, 2, 3, 4, 5, 6}, w[] = {7, 8, 9, 10, 11, 12};
    KernGpuShape s = {
        .op = KERN_GPU_GEMM, .type = KERN_GPU_FP32, .batch = 1, .m = 2, .n = 2, .k = 3};
    cr_expect(is_near(kern_gpu_reference_gemm(&s, a, w, 0, 1), 10 + 22 + 36, 0.0));
    cr_expect(is_near(kern_gpu_reference_gemm(&s, a, w, 1, 0), 28 + 40 + 54, 0.0));
}

static uint16_t bf16_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)(bits >> 16);
}

Test(kern_gpu_value, softmax_and_norm_go_along_a_row)
{
    uint16_t x[6], weight[3] = {bf16_of(1.0f), bf16_of(2.0f), bf16_of(0.5f)};
    const float plain[6] = {9.0f, 9.0f, 9.0f, 1.0f, 2.0f, 4.0f};
    for (int i = 0; i < 6; i++)
        x[i] = bf16_of(plain[i]);
    KernGpuShape s = {.op = KERN_GPU_SOFTMAX, .type = KERN_GPU_BF16, .m = 2, .n = 3};
    cr_expect(is_near(kern_gpu_reference_softmax(&s, x, 0, 2), 1.0 / 3.0, 1e-15));
    double sum = exp(1.0) + exp(2.0) + exp(4.0);
    cr_expect(is_near(kern_gpu_reference_softmax(&s, x, 1, 1), exp(2.0) / sum, 1e-15));
    double root = sqrt(21.0 / 3.0 + 1e-6);
    cr_expect(is_near(kern_gpu_reference_rmsnorm(&s, x, weight, 1, 1), 2.0 * 2.0 / root, 1e-15));
}

/* Two query heads over one key-value head; the second query is 0 and so takes the mean. */
Test(kern_gpu_value, decode_weighs_values_by_the_softmax_of_the_scores)
{
    uint16_t q[4] = {bf16_of(2.0f), bf16_of(0.0f), 0, 0};
    uint16_t k[4] = {bf16_of(1.0f), 0, bf16_of(3.0f), 0};
    uint16_t v[4] = {bf16_of(10.0f), 0, bf16_of(20.0f), bf16_of(4.0f)};
    KernGpuShape s = {.op = KERN_GPU_ATTENTION_DECODE,
                      .type = KERN_GPU_BF16,
                      .batch = 1,
                      .m = 1,
                      .heads = 2,
                      .kv_heads = 1,
                      .head_dim = 2,
                      .context = 2};
    double w = exp(4.0 / sqrt(2.0));
    double got = kern_gpu_reference_decode(&s, q, k, v, 0, 0, 0);
    cr_expect(is_near(got, (10.0 + 20.0 * w) / (1.0 + w), 1e-12), "%g", got);
    cr_expect(is_near(kern_gpu_reference_decode(&s, q, k, v, 0, 1, 1), 2.0, 1e-12));
}
