/* Grids of tensor ranks, chunks of overlapped traffic and gathered logits against closed forms.
 *
 * A GPT layer, b sequences of s tokens, h wide: products of 3 h, h, 4 h columns and back. On q x q
 * ranks Optimus (arXiv 2104.05343, section 3.1 and table 1) broadcasts
 *
 *   forward   (7 b s h + 12 h^2) / q elements to each rank, backward twice that
 *
 * (its log2 q, for trees of broadcasts, is left to the network here). Toy wires carry 1e11 B/s
 * without latency; a pipelined broadcast of x bytes takes x / 1e11. */
#include "kern_gemm.h"
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_memory.h"
#include "strat_tensor.h"
#include "strat_tensor_overlap.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

enum { SEQUENCE = 1024, HIDDEN = 1024 };

static const double RATE = 1e11;

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%s: %.12g, not %.12g", what, got, want);
}

static ToyWorld grid(StratTensorKind kind, int64_t tensor, int64_t depth, int64_t batch)
{
    ToyWorld world = toy_world();
    world.plan.tensor = tensor;
    world.plan.tensor_parallel.kind = kind;
    world.plan.tensor_parallel.depth = depth;
    world.plan.micro_batch = batch;
    world.cluster.node.scale_up_gpus = world.cluster.node.gpus = 64;
    world.cluster.node.scale_up_bytes_per_s = RATE;
    toy_lay_out(&world, 1, 1);
    return world;
}

static ModelOps ops_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1};
    ModelOps ops;
    strat_layer_ops(&costing, &layer, 0, &ops);
    return ops;
}

/* Elements of panels that reach a rank, and products of one rank, forward. */
static void panels(const ToyWorld *world, double *elements, double *flop)
{
    ModelOps ops = ops_of(world);
    for (size_t i = 0; i < ops.count; i++) {
        const ModelOp *op = &ops.op[i];
        if (op->kind != MODEL_OP_GEMM)
            continue;
        *elements += (double)op->m * (double)op->k + (double)op->k * (double)op->n;
        *flop += 2.0 * (double)op->m * (double)op->n * (double)op->k;
    }
}

static double panel_s(const ToyWorld *world, bool backward)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = {.layers = 1, .tensor_per_domain = world->plan.tensor};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    if (backward)
        strat_cost_backward(&costing, &chunk, STRAT_BACKWARD_WHOLE, spans);
    else
        strat_cost_forward(&costing, &chunk, spans);
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        seconds += g_str_equal(span->label, "panels") ? span->seconds : 0.0;
    }
    return seconds;
}

Test(tensor_grids, panels_are_7_b_s_h_and_12_h_squared_over_q_as_optimus_has_them)
{
    static const int64_t sides[] = {2, 4, 8};
    for (size_t i = 0; i < G_N_ELEMENTS(sides); i++) {
        int64_t q = sides[i];
        ToyWorld world = grid(STRAT_TENSOR_2D, q * q, 1, 8);
        double tokens = 8.0 * SEQUENCE, h = HIDDEN, elements = 0.0, flop = 0.0;
        double want = (7.0 * tokens * h + 12.0 * h * h) / (double)q;
        panels(&world, &elements, &flop);
        expect_near(elements, want, "elements");
        expect_near(flop * (double)(q * q), 24.0 * tokens * h * h, "work");
        expect_near(panel_s(&world, false), 2.0 * want / RATE, "forward");
        expect_near(panel_s(&world, true), 2.0 * 2.0 * want / RATE, "backward");
    }
}

/* Tesseract: d grids share the batch, and sum their gradients of q^2 pieces of 12 h^2 weights. */
Test(tensor_grids, depth_divides_activations_and_sums_gradients_of_weights)
{
    ToyWorld world = grid(STRAT_TENSOR_2_5D, 64, 4, 16);
    double tokens = 16.0 * SEQUENCE, h = HIDDEN, elements = 0.0, flop = 0.0;
    double want = (7.0 * tokens * h / 4.0 + 12.0 * h * h) / 4.0;
    panels(&world, &elements, &flop);
    expect_near(elements, want, "elements");
    expect_near(flop * 64.0, 24.0 * tokens * h * h, "work");
    double summed = 2.0 * 12.0 * h * h / 16.0 * (2.0 * 3.0 / 4.0);
    expect_near(panel_s(&world, true), (2.0 * 2.0 * want + summed) / RATE, "backward");
}

/* A rank of a row receives an all-reduce's 2 x 2 b s h (t - 1) / t forward whatever t is: 2D moves
 * less from where (7 + 12 h / (b s)) / q is below 4. */
Test(tensor_grids, a_grid_moves_less_than_a_row_once_it_is_wide_enough)
{
    for (int64_t q = 2; q <= 8; q *= 2) {
        ToyWorld square = grid(STRAT_TENSOR_2D, q * q, 1, 8), row = square;
        double elements = 0.0, flop = 0.0, tokens = 8.0 * SEQUENCE, ranks = (double)(q * q);
        row.plan.tensor_parallel.kind = STRAT_TENSOR_1D;
        panels(&square, &elements, &flop);
        double moved = 0.0, in_row = 2.0 * 2.0 * tokens * HIDDEN * (ranks - 1.0) / ranks;
        ModelOps ops = ops_of(&row);
        for (size_t i = 0; i < ops.count; i++)
            if (ops.op[i].forward_comm == MODEL_COMM_ALL_REDUCE)
                moved += 2.0 * ops.op[i].forward_bytes / 2.0 * (ranks - 1.0) / ranks;
        expect_near(moved, in_row, "a row");
        cr_expect((elements < moved) ==
                      (7.0 + 12.0 / 8.0 < 4.0 * (double)q * (ranks - 1.0) / ranks),
                  "q %d", (int)q);
    }
}

Test(tensor_grids, weights_and_activations_of_all_ranks_are_those_of_one)
{
    ToyWorld one = toy_world(), square = grid(STRAT_TENSOR_2D, 16, 1, 4);
    ToyWorld deep = grid(STRAT_TENSOR_2_5D, 32, 2, 8);
    StratModelChunk layer = {.layers = 1};
    double all = strat_chunk_params(&one.model, &one.plan, &layer);
    expect_near(strat_chunk_params(&square.model, &square.plan, &layer) * 16.0, all, "2d");
    expect_near(strat_chunk_params(&deep.model, &deep.plan, &layer) * 16.0, all, "2.5d");
    one.plan.micro_batch = 4;
    StratCosting alone = toy_costing(&one), grids = toy_costing(&square);
    expect_near(strat_chunk_saved_bytes(&grids, &layer) * 16.0,
                strat_chunk_saved_bytes(&alone, &layer), "kept");
}

Test(tensor_grids, overlap_leaves_the_first_panels_bare)
{
    ToyWorld world = grid(STRAT_TENSOR_2D, 16, 1, 4);
    double bare = panel_s(&world, false);
    world.plan.overlap_tensor = true;
    world.profile.gemm[TOPO_DTYPE_BF16].launch_s = 1.0; /* products that hide any panel */
    expect_near(panel_s(&world, false), bare / 4.0, "first of four steps");
}

Test(tensor_grids, folded_and_unfolded_steps_are_the_same)
{
    ToyWorld worlds[] = {grid(STRAT_TENSOR_2D, 16, 1, 4), grid(STRAT_TENSOR_2_5D, 8, 2, 4)};
    for (size_t i = 0; i < G_N_ELEMENTS(worlds); i++) {
        worlds[i].cluster.node.scale_up_gpus = worlds[i].cluster.node.gpus = 8;
        toy_lay_out(&worlds[i], 2, 2);
        StratCosting costing = toy_costing(&worlds[i]);
        g_autoptr(StratTrainResult) folded = strat_train_run(&costing, true, NULL);
        g_autoptr(StratTrainResult) whole = strat_train_run(&costing, false, NULL);
        cr_assert(folded && whole);
        cr_expect(toy_ledger_sum(folded) == toy_ledger_sum(whole));
    }
}

/* n collectives of b / n bytes, each with its latency; the first is bare, the products that hide
 * the others are n of m / n rows. */
Test(tensor_grids, each_chunk_pays_its_latency_and_its_smaller_product)
{
    static const double LATENCY = 1e-5;
    ToyWorld world = grid(STRAT_TENSOR_1D, 8, 1, 8);
    world.cluster.node.scale_up_protocols = toy_wires(1.0, LATENCY, 0.0);
    world.plan.sequence_parallel = world.plan.overlap_tensor = true;
    StratCosting costing = toy_costing(&world);
    StratModelChunk chunk = {.layers = 1, .tensor_per_domain = 8};
    double bytes = 1 << 24;
    ModelOp gather = {
        .kind = MODEL_OP_COMM, .forward_comm = MODEL_COMM_ALL_GATHER, .forward_bytes = bytes};
    KernGemmShape product = {.batch = 1, .m = 8192, .n = 512, .k = 1024, .dtype = TOPO_DTYPE_BF16};
    ModelOp op = {.kind = MODEL_OP_GEMM, .batch = 1, .m = 8192, .n = 512, .k = 1024};
    double whole = kern_gemm_s(&costing.device, &product), last = 0.0;
    for (int64_t n = 2; n <= 64; n *= 2) {
        KernGemmShape piece = product;
        piece.m /= n;
        world.plan.tensor_parallel.chunks = n;
        double cut = (double)n * kern_gemm_s(&costing.device, &piece);
        double each = LATENCY + bytes / (double)n * 7.0 / 8.0 / RATE;
        double rest = (double)(n - 1) * each;
        double want = fmax(0.0, cut - whole) + each + fmax(0.0, rest - cut);
        last = strat_tensor_chunked_s(&costing, &chunk, &costing.device, &gather, false, &op,
                                      TOPO_DTYPE_BF16);
        expect_near(last, want, "chunks");
    }
    cr_expect(last > 62.0 * LATENCY, "64 chunks cost their latencies: %g s", last);
}

Test(tensor_grids, gathered_logits_are_gathered_and_gone_over_whole)
{
    ToyWorld world = grid(STRAT_TENSOR_1D, 8, 1, 1);
    ModelShard shard = strat_shard(&world.plan);
    ModelOps cut, whole;
    double vocab = (double)model_vocab_padded(&world.model, 8);
    model_ops_head(&world.model, &shard, &cut);
    shard.gathers_logits = true;
    model_ops_head(&world.model, &shard, &whole);
    cr_assert(whole.count == cut.count + 1);
    const ModelOp *gather = &whole.op[whole.count - 2];
    cr_expect(gather->forward_comm == MODEL_COMM_ALL_GATHER);
    expect_near(gather->forward_bytes, 2.0 * SEQUENCE * vocab, "gather");
    expect_near(whole.op[whole.count - 1].forward_bytes, 8.0 * cut.op[cut.count - 1].forward_bytes,
                "loss");
    expect_near(whole.op[whole.count - 1].saved_bytes, 4.0 * SEQUENCE * vocab, "logits kept");
}

/* Maximum, target and sum of a cut loss, 4 bytes a token each, are left out: over 8 ranks of wires
 * with 10 us a collective they are below 0.5 % of a head of 128K words at 8K tokens. */
Test(tensor_grids, all_reduces_of_a_cut_loss_are_small_enough_to_leave_out)
{
    ToyWorld world = grid(STRAT_TENSOR_1D, 8, 1, 8);
    world.model.vocab = 131072;
    world.model.hidden = 4096;
    world.cluster.node.scale_up_protocols = toy_wires(1.0, 1e-5, 0.0);
    StratCosting costing = toy_costing(&world);
    StratModelChunk head = {.head = true, .tensor_per_domain = 8};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, &head, spans);
    strat_cost_backward(&costing, &head, STRAT_BACKWARD_WHOLE, spans);
    double seconds = 0.0, loss;
    for (guint i = 0; i < spans->len; i++)
        seconds += g_array_index(spans, StratSpan, i).seconds;
    loss = 3.0 * strat_tensor_comm_s(&costing, &head, MODEL_COMM_ALL_REDUCE, 4.0 * 8 * SEQUENCE);
    cr_expect(loss > 0.0 && loss < 0.005 * seconds, "%g s of %g", loss, seconds);
}
