/* What stands behind an answer of the coefficients: near the shapes that were fitted, far from
 * them, and on a device that was not measured. What stands behind a table's is in
 * test_kern_table.c. */
#include "kern_evidence.h"
#include "toy_world.h"

#include <criterion/criterion.h>

static ToyWorld fitted_world(void)
{
    ToyWorld world = toy_world();
    world.profile.grade = KERN_GRADE_FITTED;
    world.profile.fitted_on = (KernFittedOn){
        .gemm_m = {16,  4096 },
        .gemm_n = {128, 8192 },
        .gemm_k = {128, 8192 },
        .attention_batch = {16,  1024 },
        .attention_keys = {512, 16384},
        .attention_head_dim = {64,  256  },
    };
    return world;
}

static KernDevice device_of(const ToyWorld *world)
{
    return (KernDevice){
        .gpu = &world->cluster.node.gpu, .profile = &world->profile, .clock_fraction = 1.0};
}

Test(kern_evidence, names_are_in_the_order_of_trust)
{
    cr_expect_str_eq(kern_evidence_name(KERN_EVIDENCE_MEASURED), "measured");
    cr_expect_str_eq(kern_evidence_name(KERN_EVIDENCE_INTERPOLATED), "interpolated");
    cr_expect_str_eq(kern_evidence_name(KERN_EVIDENCE_FITTED), "fitted");
    cr_expect_str_eq(kern_evidence_name(KERN_EVIDENCE_EXTRAPOLATED), "extrapolated");
    cr_expect_str_eq(kern_evidence_name(KERN_EVIDENCE_DATASHEET), "datasheet");
}

Test(kern_evidence, a_product_twice_as_large_as_any_fitted_is_still_fitted)
{
    static const struct {
        int64_t m, n, k;
        KernEvidence want;
    } cases[] = {
        {1024, 1024, 1024,  KERN_EVIDENCE_FITTED      },
        {8192, 1024, 1024,  KERN_EVIDENCE_FITTED      },
        {8193, 1024, 1024,  KERN_EVIDENCE_EXTRAPOLATED},
        {8,    1024, 1024,  KERN_EVIDENCE_FITTED      },
        {7,    1024, 1024,  KERN_EVIDENCE_EXTRAPOLATED},
        {1024, 63,   1024,  KERN_EVIDENCE_EXTRAPOLATED},
        {1024, 1024, 16385, KERN_EVIDENCE_EXTRAPOLATED},
    };
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        KernGemmShape s = {.batch = 1,
                           .m = cases[i].m,
                           .n = cases[i].n,
                           .k = cases[i].k,
                           .dtype = TOPO_DTYPE_BF16};
        KernEvidence got = kern_gemm_evidence(&device, &s);
        cr_expect(got == cases[i].want, "case %zu: %s", i, kern_evidence_name(got));
    }
}

Test(kern_evidence, attention_far_from_what_was_fitted_is_extrapolated)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernAttentionShape s = {.batch = 64,
                            .queries = 4096,
                            .keys = 4096,
                            .head_dim = 128,
                            .unmasked_fraction = 0.5,
                            .dtype = TOPO_DTYPE_BF16};
    cr_expect(kern_attention_evidence(&device, &s) == KERN_EVIDENCE_FITTED);
    s.keys = s.queries = 131072;
    cr_expect(kern_attention_evidence(&device, &s) == KERN_EVIDENCE_EXTRAPOLATED);
    s.keys = s.queries = 4096;
    s.head_dim = 16;
    cr_expect(kern_attention_evidence(&device, &s) == KERN_EVIDENCE_EXTRAPOLATED);
}

Test(kern_evidence, a_profile_that_tells_no_sizes_extrapolates_nowhere)
{
    ToyWorld world = fitted_world();
    world.profile.fitted_on = (KernFittedOn){0};
    KernDevice device = device_of(&world);
    KernGemmShape s = {.batch = 1, .m = 1, .n = 1, .k = 1 << 20, .dtype = TOPO_DTYPE_BF16};
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_FITTED);
}

Test(kern_evidence, borrowed_coefficients_are_no_better_than_a_datasheet)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernGemmShape s = {.batch = 1, .m = 1024, .n = 1024, .k = 1024, .dtype = TOPO_DTYPE_BF16};
    world.profile.gemm[TOPO_DTYPE_FP8].rows = 0;
    s.dtype = TOPO_DTYPE_FP8;
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_DATASHEET, "another type's fit");
    world.profile.gemm[TOPO_DTYPE_FP16].rows = 0;
    s.dtype = TOPO_DTYPE_FP16;
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_FITTED, "as fast as bf16");
    s.dtype = TOPO_DTYPE_BF16;
    world.profile.grade = KERN_GRADE_DATASHEET;
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_DATASHEET, "another GPU's");
}
