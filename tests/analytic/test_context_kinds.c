/* Kinds of context parallelism against the closed forms of their papers.
 *
 * A toy layer: s = 1024 tokens of h = 1024, 16 heads of 64, 2 bytes an element, wires of exactly
 * 1e11 B/s inside a domain of 8 and no latency. An all-to-all of b bytes over n ranks puts
 * b (n - 1) / n on a wire, so does an all-gather of b in all. */
#include "strat_context.h"
#include "strat_expert.h"
#include "strat_memory.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

enum { SEQUENCE = 1024, HIDDEN = 1024, HEADS = 16, WIDTH = 64 };

static const double RATE = 1e11;

static ToyWorld shared(int64_t context, StratContextKind kind)
{
    ToyWorld world = toy_world();
    world.plan.context = context;
    world.plan.context_parallel.kind = kind;
    world.cluster.node.scale_up_bytes_per_s = RATE;
    toy_lay_out(&world, 1, 1);
    return world;
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%s: %.12g, not %.12g", what, got, want);
}

static ModelOps ops_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1};
    ModelOps ops;
    strat_layer_ops(&costing, &layer, 0, &ops);
    return ops;
}

static double forward_bytes(const ToyWorld *world, ModelOpKind kind)
{
    ModelOps ops = ops_of(world);
    double bytes = 0.0;
    for (size_t i = 0; i < ops.count; i++)
        bytes += ops.op[i].kind == kind ? ops.op[i].forward_bytes : 0.0;
    return bytes;
}

static ModelOp attention_of(const ToyWorld *world)
{
    ModelOps ops = ops_of(world);
    for (size_t i = 0; i < ops.count; i++)
        if (ops.op[i].kind == MODEL_OP_ATTENTION)
            return ops.op[i];
    cr_assert(false, "no attention");
    return ops.op[0];
}

/* Context traffic of one layer, forward and backward. */
static double layer_s(const ToyWorld *world, bool backward)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = {.layers = 1, .context_per_domain = MIN(world->plan.context, 8)};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    if (backward)
        strat_cost_backward(&costing, &chunk, STRAT_BACKWARD_WHOLE, spans);
    else
        strat_cost_forward(&costing, &chunk, spans);
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        seconds += span->bucket == STRAT_BUCKET_CONTEXT_COMM ? span->seconds : 0.0;
    }
    return seconds;
}

/* Jacobs 2023, section 3.2: 4 s h / c elements a rank and layer. */
Test(context_kinds, ulysses_exchanges_4_s_h_over_c_elements)
{
    for (int64_t c = 2; c <= 8; c *= 2) {
        ToyWorld world = shared(c, STRAT_CONTEXT_ULYSSES);
        double bytes = 2.0 * 4.0 * SEQUENCE * HIDDEN / (double)c;
        expect_near(forward_bytes(&world, MODEL_OP_HEADS), bytes, "bytes");
        expect_near(layer_s(&world, false), bytes * (double)(c - 1) / (double)c / RATE, "forward");
        expect_near(layer_s(&world, true), bytes * (double)(c - 1) / (double)c / RATE, "backward");
    }
}

/* 2 key/value heads for 8 ranks: each is sent to 4 of them. */
Test(context_kinds, ulysses_repeats_key_value_heads_that_are_too_few)
{
    ToyWorld world = shared(8, STRAT_CONTEXT_ULYSSES);
    world.model.kv_heads = 2;
    double heads = 2.0 * HEADS + 2.0 * 8.0;
    expect_near(forward_bytes(&world, MODEL_OP_HEADS), 2.0 * heads * WIDTH * SEQUENCE / 8.0, "GQA");
    cr_expect(attention_of(&world).kv_batch == 1);
}

Test(context_kinds, gathered_keys_are_gathered_twice_and_scattered_once)
{
    ToyWorld world = shared(4, STRAT_CONTEXT_ALL_GATHER);
    double keys = 2.0 * 2.0 * SEQUENCE * HIDDEN;
    expect_near(layer_s(&world, false), keys * 3.0 / 4.0 / RATE, "forward");
    expect_near(layer_s(&world, true), 2.0 * keys * 3.0 / 4.0 / RATE, "backward");
    StratCosting costing = toy_costing(&world);
    expect_near(strat_context_gathered_bytes(&costing), 2.0 * keys, "memory");
    StratModelChunk chunk = {.layers = 1};
    double with = strat_memory_workspace_bytes(&costing, &chunk);
    world.plan.context_parallel.kind = STRAT_CONTEXT_RING;
    double without = strat_memory_workspace_bytes(&costing, &chunk);
    expect_near(with - without, 2.0 * keys, "workspace");
}

/* Rank i of n in order meets (i - 1/2) / n of the keys: they sum to half of all, and the last has
 * (2 n - 1) / n^2 of the work, 2 - 1/n times the mean. */
Test(context_kinds, in_order_the_last_rank_has_2n_minus_1_over_n_squared_of_the_work)
{
    for (int64_t n = 2; n <= 16; n *= 2) {
        ToyWorld even = shared(n, STRAT_CONTEXT_RING), odd = even;
        odd.plan.context_parallel.order = STRAT_CONTEXT_CONTIGUOUS;
        double ranks = (double)n, all = 0.0, last = 0.0;
        for (int64_t i = 1; i <= n; i++)
            all += last = ((double)i - 0.5) / (ranks * ranks);
        expect_near(all, 0.5, "all");
        expect_near(last / all, (2.0 * ranks - 1.0) / (ranks * ranks), "share");
        expect_near(attention_of(&odd).causal_fraction / ranks, last, "last");
        expect_near(attention_of(&odd).causal_fraction / attention_of(&even).causal_fraction,
                    2.0 - 1.0 / ranks, "over the mean");
    }
}

/* However a sequence is shared, its scores are all worked out, once. */
Test(context_kinds, every_kind_works_out_the_same_scores)
{
    static const StratContextKind kinds[] = {STRAT_CONTEXT_RING, STRAT_CONTEXT_ALL_GATHER,
                                             STRAT_CONTEXT_ULYSSES, STRAT_CONTEXT_HYBRID};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        ToyWorld world = shared(8, kinds[i]);
        world.plan.context_parallel.heads = kinds[i] == STRAT_CONTEXT_HYBRID ? 2 : 0;
        ModelOp op = attention_of(&world);
        double scores = (double)(op.batch * op.m) * (double)op.n * op.causal_fraction;
        expect_near(scores * 8.0, 0.5 * HEADS * SEQUENCE * SEQUENCE, "scores");
    }
}

/* Two ranks exchange heads, rings of four go across: keys of half the heads of twice the tokens. */
Test(context_kinds, hybrid_rings_carry_what_rings_do_and_exchange_as_few_ranks)
{
    ToyWorld ring = shared(8, STRAT_CONTEXT_RING), both = shared(8, STRAT_CONTEXT_HYBRID);
    both.plan.context_parallel.heads = 2;
    expect_near(forward_bytes(&both, MODEL_OP_RING), forward_bytes(&ring, MODEL_OP_RING), "ring");
    expect_near(forward_bytes(&both, MODEL_OP_HEADS), 2.0 * 4.0 * SEQUENCE * HIDDEN / 8.0, "heads");
    /* On wires so slow that nothing hides, 3 steps instead of 7, and an exchange over 2 ranks. */
    ring.cluster.node.scale_up_bytes_per_s = both.cluster.node.scale_up_bytes_per_s = 1e3;
    double step = 2.0 * 2.0 * SEQUENCE * HIDDEN / 8.0 / 1e3;
    double want = 3.0 * step + 2.0 * step / 2.0, got = layer_s(&both, false);
    cr_expect(fabs(got - want) < 1e-6 * want, "%g s, not %g", got, want);
    got = layer_s(&ring, false);
    cr_expect(fabs(got - 7.0 * step) < 1e-6 * 7.0 * step, "%g s, not %g", got, 7.0 * step);
}

/* 4 ranks in domains of 2: some send crosses, at 1e3 B/s, and all wait for it. */
Test(context_kinds, a_ring_that_leaves_its_domain_goes_at_the_pace_of_the_nic)
{
    ToyWorld world = shared(4, STRAT_CONTEXT_RING);
    world.cluster.node.nic_bytes_per_s = 1e3;
    StratCosting costing = toy_costing(&world);
    double share = 2.0 * 2.0 * SEQUENCE * HIDDEN / 4.0;
    ModelOp ring = {.kind = MODEL_OP_RING, .forward_bytes = share};
    for (int64_t inside = 1; inside <= 4; inside *= 2) {
        StratModelChunk chunk = {.layers = 1, .context_per_domain = inside};
        expect_near(strat_context_s(&costing, &chunk, &ring, false, 0.0),
                    3.0 * share / (inside < 4 ? 1e3 : RATE), "ring");
    }
}

Test(context_kinds, folded_and_unfolded_steps_of_every_kind_are_the_same)
{
    size_t count;
    const StratContextRow *rows = strat_context_all(&count);
    for (size_t i = 0; i < count; i++) {
        ToyWorld world = shared(16, (StratContextKind)i);
        world.plan.context_parallel.heads = i == STRAT_CONTEXT_HYBRID ? 4 : 0;
        StratCosting costing = toy_costing(&world);
        g_autoptr(StratTrainResult) folded = strat_train_run(&costing, true, NULL);
        g_autoptr(StratTrainResult) whole = strat_train_run(&costing, false, NULL);
        cr_assert(folded && whole, "%s", rows[i].name);
        cr_expect(toy_ledger_sum(folded) == toy_ledger_sum(whole), "%s", rows[i].name);
        cr_expect(folded->ledger_ns[STRAT_BUCKET_CONTEXT_COMM] > 0, "%s", rows[i].name);
    }
}
