/* What a backward repeats, in closed form, of a Llama layer h wide with h heads' queries, k wide
 * keys and values and an MLP of f: products of 2 (2 h + 2 k) h / h ... per token and h,
 *
 *   all       q + 2 k + h (projection) + 3 f, and attention
 *   early     the same without the last f
 *   per-op    k + h + f, and no attention
 *
 * and per-op keeps, in 16 bits a token, the input h, q and v (h + k), attention's output h and 4
 * bytes a head, gate f and down h. */
#include "toy_world.h"

#include "strat_repeat.h"

#include <criterion/criterion.h>
#include <math.h>

enum { HIDDEN = 1024, KEYS = 256, FFN = 4096, SEQUENCE = 512, HEADS = 8 };

static ToyWorld world_of(StratRecompute recompute, bool stops)
{
    ToyWorld world = toy_world();
    world.model.hidden = HIDDEN;
    world.model.heads = HEADS;
    world.model.kv_heads = 2;
    world.model.head_dim = 128;
    world.model.ffn = FFN;
    world.model.gated_mlp = true;
    world.plan.sequence_length = SEQUENCE;
    world.plan.micro_batch = 1;
    world.plan.attention = STRAT_ATTENTION_FLASH;
    world.plan.recompute = recompute;
    world.plan.recompute_stops_early = stops;
    toy_lay_out(&world, 1, 1);
    return world;
}

/* Products of a layer's forward, over 2 tokens HIDDEN; attention's scores counted in full. */
static double all_products(void)
{
    return HIDDEN + 2.0 * KEYS + HIDDEN + 3.0 * FFN + 2.0 * SEQUENCE;
}

Test(repeat_forms, the_share_of_the_products_is_that_of_the_matrices)
{
    static const struct {
        StratRecompute recompute;
        bool stops;
        double repeated;
    } cases[] = {
        {STRAT_RECOMPUTE_NONE,      false, 0.0                                           },
        {STRAT_RECOMPUTE_FULL,      false, 2 * HIDDEN + 2 * KEYS + 3 * FFN + 2 * SEQUENCE},
        {STRAT_RECOMPUTE_FULL,      true,  2 * HIDDEN + 2 * KEYS + 2 * FFN + 2 * SEQUENCE},
        {STRAT_RECOMPUTE_SELECTIVE, false, 2 * SEQUENCE                                  },
        {STRAT_RECOMPUTE_PER_OP,    false, KEYS + HIDDEN + FFN                           },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = world_of(cases[i].recompute, cases[i].stops);
        double got = strat_repeat_flop_fraction(&world.plan, &world.model);
        double want = cases[i].repeated / all_products();
        cr_expect(fabs(got - want) < 1e-12, "case %zu: %g, not %g", i, got, want);
    }
}

static double kept_of_layer(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    return strat_chunk_saved_bytes(&costing, &layer);
}

Test(repeat_forms, per_op_keeps_every_other_product_and_attention)
{
    ToyWorld world = world_of(STRAT_RECOMPUTE_PER_OP, false);
    double tokens = SEQUENCE, got = kept_of_layer(&world);
    double want = tokens * (2.0 * (HIDDEN + HIDDEN + KEYS + HIDDEN + FFN + HIDDEN) + 4.0 * HEADS);
    cr_expect(fabs(got - want) < 0.5, "%.0f bytes, not %.0f", got, want);
    ToyWorld none = world_of(STRAT_RECOMPUTE_NONE, false);
    ToyWorld full = world_of(STRAT_RECOMPUTE_FULL, false);
    cr_expect(kept_of_layer(&full) < got && got < kept_of_layer(&none));
}

static double backward_s(const ToyWorld *world, StratBucket bucket)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_backward(&costing, &layer, STRAT_BACKWARD_WHOLE, spans);
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        sum += span->bucket == bucket ? span->seconds : 0.0;
    }
    return sum;
}

Test(repeat_forms, less_is_repeated_from_full_to_early_to_per_op)
{
    ToyWorld full = world_of(STRAT_RECOMPUTE_FULL, false);
    ToyWorld early = world_of(STRAT_RECOMPUTE_FULL, true);
    ToyWorld per_op = world_of(STRAT_RECOMPUTE_PER_OP, false);
    double all = backward_s(&full, STRAT_BUCKET_RECOMPUTE);
    double some = backward_s(&early, STRAT_BUCKET_RECOMPUTE);
    double few = backward_s(&per_op, STRAT_BUCKET_RECOMPUTE);
    cr_expect(0.0 < few && few < some && some < all, "%g, %g, %g", few, some, all);
}
