/* What generations of software do otherwise, against closed forms: whole pipeline sends, and the
 * attention kernels of Ampere on Hopper. */
#include "kern_attention.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

Test(generations, a_tensor_rank_sends_its_share_or_all)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 4;
    world.plan.pipeline = 2;
    StratCosting costing = toy_costing(&world);
    const double whole = 2.0 * 1024.0 * 1024.0; /* tokens x width in 16 bits */
    cr_expect(fabs(strat_send_bytes(&costing) - whole / 4.0) < 1.0);
    world.plan.send_whole = true;
    cr_expect(fabs(strat_send_bytes(&costing) - whole) < 1.0);
    world.plan.sequence_parallel = true; /* shards of the sequence stay what they are */
    cr_expect(fabs(strat_send_bytes(&costing) - whole / 4.0) < 1.0);
}

/* Seconds of all spans of one layer's forward with @label. */
static double spent(const ToyWorld *world, const char *label)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = {.layers = 1, .receives_forward = true, .tensor_per_domain = 4};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, &chunk, spans);
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        seconds += g_str_equal(span->label, label) ? span->seconds : 0.0;
    }
    return seconds;
}

Test(generations, what_arrives_whole_is_not_gathered)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 4;
    world.plan.pipeline = 2;
    double bytes = 2.0 * 1024.0 * 1024.0;
    cr_expect(fabs(spent(&world, "gather received") - bytes * 3.0 / 4.0 / 1e11) < 1e-12);
    world.plan.send_whole = true;
    cr_expect(spent(&world, "gather received") <= 0.0);
}

Test(generations, flash_2_is_slower_where_the_profile_has_a_quicker_kernel)
{
    ToyWorld world = toy_world();
    const KernDevice device = {
        .gpu = &world.cluster.node.gpu, .profile = &world.profile, .clock_fraction = 1.0};
    KernAttentionShape shape = {.batch = 100,
                                .queries = 1024,
                                .keys = 1024,
                                .head_dim = 64,
                                .unmasked_fraction = 0.5,
                                .dtype = TOPO_DTYPE_BF16};
    KernAttentionFit *fit = &world.profile.attention;
    double forward = kern_attention_forward_s(&device, &shape) - fit->launch_s;
    double backward = kern_attention_backward_s(&device, &shape) - 2.0 * fit->launch_s;
    shape.kernels = KERN_ATTENTION_FLASH_2;
    cr_expect(fabs(kern_attention_forward_s(&device, &shape) - fit->launch_s - forward) < 1e-15);
    fit->flash_2_forward_fraction = 0.5;
    fit->flash_2_backward_fraction = 0.25;
    cr_expect(fabs(kern_attention_forward_s(&device, &shape) - fit->launch_s - 2.0 * forward) <
              1e-12);
    cr_expect(fabs(kern_attention_backward_s(&device, &shape) - 2.0 * fit->launch_s -
                   4.0 * backward) < 1e-12);
}
