/* The forms of a CPU's costs, their fit, and what is kept of noisy samples. */
#include "kern_decode.h"
#include "kern_host_attention.h"
#include "kern_host_fit.h"
#include "kern_host_gemm.h"
#include "kern_host_pass.h"
#include "kern_pass.h"

#include <criterion/criterion.h>
#include <math.h>

static const KernHostGemmFit known = {
    .call_s = 2e-6,
    .flop_per_s = 8e10,
    .left_s = 4e-10,
    .right_s = 5e-10,
    .right_exponent = 0.2,
    .output_s = 3e-10,
    .edge_fraction = 0.1,
    .vector_call_s = 3e-7,
    .vector_right_s = 2e-10,
    .rows = 1,
};

static KernGemmShape shape(int64_t batch, int64_t m, int64_t n, int64_t k)
{
    return (KernGemmShape){.batch = batch, .m = m, .n = n, .k = k, .dtype = TOPO_DTYPE_FP32};
}

Test(kern_host, a_product_is_the_sum_of_its_parts)
{
    KernGemmShape s = shape(1, 8, 1024, 512), one = shape(3, 1, 100, 50),
                  odd = shape(1, 7, 1024, 512);
    double want = 2e-6 + 2.0 * 8 * 1024 * 512 / 8e10 + 4e-10 * 8 * 512 + 5e-10 * 1024 * 512 +
                  3e-10 * 8 * 1024;
    double got = kern_host_gemm_form_s(&known, &s);
    cr_expect(fabs(got / want - 1.0) < 1e-12, "%g for %g", got, want);
    got = kern_host_gemm_form_s(&known, &one);
    cr_expect(fabs(got / (3 * (3e-7 + 2e-10 * 5000)) - 1.0) < 1e-12);
    got = kern_host_gemm_form_s(&known, &odd);
    cr_expect(fabs(got / (2e-6 + 1.1 * (want - 2e-6)) - 1.0) < 1e-12, "7 rows cost more than 8");
}

Test(kern_host, weights_that_were_not_measured_arrive_by_their_bytes)
{
    KernHostFit fit = {.threads = 1, .weights = {[TOPO_DTYPE_FP32] = known}};
    KernGemmShape one = shape(1, 1, 1024, 512), eight = shape(1, 8, 1024, 512);
    double elements = 1024.0 * 512.0, plain = kern_host_gemm_form_s(&known, &eight);
    one.dtype = eight.dtype = TOPO_DTYPE_BF16;
    double got = kern_host_gemm_s(&fit, &one), want = 3e-7 + 0.5 * 2e-10 * elements;
    cr_expect(fabs(got / want - 1.0) < 1e-12, "bf16, one row: %g for %g", got, want);
    got = kern_host_gemm_s(&fit, &eight);
    want = plain - 0.5 * 2e-10 * pow(1.0, 0.2) * elements;
    cr_expect(fabs(got / want - 1.0) < 1e-12, "bf16, eight rows: %g for %g", got, want);
    one.weights = KERN_WEIGHTS_INT8;
    want = 3e-7 + 0.25 * 2e-10 * elements;
    cr_expect(fabs(kern_host_gemm_s(&fit, &one) / want - 1.0) < 1e-12, "int8");
    one.weights = KERN_WEIGHTS_INT4;
    fit.weights[TOPO_DTYPE_FP32].flop_per_s = 2e10;
    want = 3e-7 + 2.0 / 2e10 * elements;
    cr_expect(fabs(kern_host_gemm_s(&fit, &one) / want - 1.0) < 1e-12, "int4 waits for products");
}

Test(kern_host, the_fit_finds_the_coefficients_that_made_the_times)
{
    static const int64_t rows[] = {1, 2, 4, 16, 64, 256, 1024};
    static const int64_t sides[] = {256, 512, 1024, 2048, 4096};
    GArray *table = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(sides) * G_N_ELEMENTS(sides); j++) {
            KernGemmRow row = {.shape = shape(1, rows[i], sides[j / 5], sides[j % 5])};
            row.seconds = kern_host_gemm_form_s(&known, &row.shape);
            g_array_append_val(table, row);
        }
    KernHostGemmFit fit = {0};
    KernFitError error =
        kern_host_fit_gemm((const KernGemmRow *)(void *)table->data, table->len, &fit);
    cr_expect(error.median_fraction < 0.01, "median error %g", error.median_fraction);
    cr_expect(error.p90_fraction < 0.03, "p90 error %g", error.p90_fraction);
    cr_expect(fabs(fit.flop_per_s / known.flop_per_s - 1.0) < 0.05, "%g", fit.flop_per_s);
    KernGemmShape between = shape(1, 100, 700, 3000);
    double ratio = kern_host_gemm_form_s(&fit, &between) / kern_host_gemm_form_s(&known, &between);
    cr_expect(fabs(ratio - 1.0) < 0.03, "between the rows: %g", ratio);
    g_array_unref(table);
}

static KernHostFit host(void)
{
    KernHostFit fit = {.threads = 1};
    fit.weights[TOPO_DTYPE_FP32] = known;
    fit.activations[TOPO_DTYPE_FP32] = known;
    fit.activations[TOPO_DTYPE_FP32].call_s = 0.0;
    for (size_t i = 0; i < KERN_HOST_LEVELS; i++) {
        fit.level_bytes[i] = pow(10.0, 3.0 + (double)i);
        for (size_t pass = 0; pass < KERN_HOST_PASS_COUNT; pass++) {
            fit.pass[pass].forward_s[i] = 1e-9 * (double)(i + 1) * (double)(pass + 1);
            fit.pass[pass].backward_s[i] = 2e-9 * (double)(i + 1) * (double)(pass + 1);
        }
    }
    return fit;
}

Test(kern_host, seconds_per_byte_are_interpolated_and_kept_beyond_the_ends)
{
    KernHostFit fit = host();
    static const struct {
        double bytes, want_s_per_byte;
    } cases[] = {
        {10.0,               1e-9  },
        {1e3,                1e-9  },
        {3162.2776601683795, 1.5e-9},
        {1e5,                3e-9  },
        {1e8,                6e-9  },
        {1e11,               6e-9  },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double got = kern_host_pass_s(&fit, KERN_HOST_PASS_ADD, false, cases[i].bytes);
        cr_expect(fabs(got / cases[i].bytes / cases[i].want_s_per_byte - 1.0) < 1e-9, "case %zu",
                  i);
    }
    cr_expect(kern_host_pass_s(&fit, KERN_HOST_PASS_ADD, true, 0.0) == 0.0);
}

Test(kern_host, a_device_that_is_a_cpu_is_priced_as_one)
{
    KernProfile profile = {.host = host()};
    KernDevice device = {.profile = &profile, .clock_fraction = 1.0};
    KernGemmShape single = shape(1, 8, 1024, 512), batch = shape(2, 8, 1024, 512);
    double one = kern_gemm_s(&device, &single), two = kern_gemm_s(&device, &batch);
    cr_expect(fabs(2.0 * (one - 2e-6) / two - 1.0) < 1e-12, "a batch is of activations");
    cr_expect(fabs(kern_pass_labelled_s(&device, "softmax", true, 1e3, 1) / 6e-6 - 1.0) < 1e-9);
    cr_expect(fabs(kern_pass_labelled_s(&device, "whatever", false, 1e3, 1) / 1e-6 - 1.0) < 1e-9);
    cr_expect(kern_pass_labelled_s(&device, "softmax", false, 1e3, 0) == 0.0);
    KernAttentionShape attention = {.batch = 8,
                                    .queries = 64,
                                    .keys = 128,
                                    .head_dim = 64,
                                    .unmasked_fraction = 0.5,
                                    .dtype = TOPO_DTYPE_FP32};
    double forward = kern_attention_forward_s(&device, &attention);
    double backward = kern_attention_backward_s(&device, &attention);
    cr_expect(forward > kern_attention_forward_flop(&attention) / 8e10);
    cr_expect(backward > 1.5 * forward && backward < 4.0 * forward, "%g and %g", forward, backward);
}

Test(kern_host, a_token_attends_with_its_query_heads_as_rows)
{
    KernProfile profile = {.host = host()};
    KernDevice device = {.profile = &profile, .clock_fraction = 1.0};
    KernDecodeShape decode = {.sequences = 3,
                              .context = 512,
                              .heads = 14,
                              .kv_heads = 2,
                              .head_dim = 64,
                              .dtype = TOPO_DTYPE_FP32};
    KernAttentionShape attention = {.batch = 6,
                                    .queries = 7,
                                    .keys = 512,
                                    .head_dim = 64,
                                    .unmasked_fraction = 1.0,
                                    .dtype = TOPO_DTYPE_FP32};
    double products = kern_host_attention_s(&profile.host, &attention, false);
    double stream = kern_pass_s(&device, 3.0 * 2.0 * 512.0 * 2.0 * 64.0 * 2.0, 1);
    cr_expect(kern_decode_s(&device, &decode) == fmax(products, stream));
    for (size_t i = 0; i < KERN_HOST_LEVELS; i++)
        profile.host.pass[KERN_HOST_PASS_ADD].forward_s[i] = 1e-6;
    stream = kern_pass_s(&device, 3.0 * 2.0 * 512.0 * 2.0 * 64.0 * 2.0, 1);
    cr_assert(stream > products);
    cr_expect(kern_decode_s(&device, &decode) == stream, "slow memory");
}

static GArray *samples(const KernHostSample *rows, size_t count)
{
    GArray *array = g_array_new(FALSE, FALSE, sizeof(KernHostSample));
    g_array_append_vals(array, rows, (guint)count);
    return array;
}

Test(kern_host, disturbed_samples_do_not_count)
{
    /* Three of calm moments, one outlier among them, three of slow moments that look better. */
    static const KernHostSample rows[] = {
        {1.00, 1.00},
        {1.02, 1.01},
        {1.01, 1.02},
        {9.00, 1.00},
        {1.03, 1.03},
        {0.50, 2.00},
        {0.50, 3.00},
        {0.50, 1.50},
    };
    GArray *array = samples(rows, G_N_ELEMENTS(rows));
    double spread;
    size_t rejected;
    double got = kern_host_settle(array, 1.0, &spread, &rejected);
    cr_expect(got >= 1.0 && got <= 1.02, "%g", got);
    cr_expect(rejected == 4, "%zu", rejected);
    cr_expect(spread > 0.0 && spread < 0.03, "%g", spread);
    g_array_unref(array);
    /* Where all moments were slow, the least slow third counts. */
    static const KernHostSample slow[] = {
        {5.0, 4.0},
        {3.0, 2.0},
        {7.0, 6.0}
    };
    array = samples(slow, G_N_ELEMENTS(slow));
    cr_expect(kern_host_settle(array, 1.0, &spread, &rejected) == 3.0);
    cr_expect(rejected == 2);
    g_array_unref(array);
}
