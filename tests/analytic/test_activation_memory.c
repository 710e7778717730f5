/* Saved activations of a GPT layer against Korthikanti et al. 2022 (arXiv 2205.05198), table 2, for
 * s tokens, b sequences, width h, a heads, t tensor ranks, in bytes a rank and layer:
 *
 *   no parallelism               s b h (34 + 5 a s / h)
 *   tensor                       s b h (10 + 24 / t + 5 a s / (h t))
 *   tensor + sequence            s b h / t (34 + 5 a s / h)
 *   tensor, selective            s b h (10 + 24 / t)
 *   tensor + sequence, selective s b h / t * 34
 *   full recomputation           2 s b h
 *
 * Every term is a whole number of bytes, far below 2^53, so doubles are exact. Under 1F1B stage i
 * holds min(m, p - i) microbatches of them (section 4.2.3). */
#include "toy_world.h"

#include "strat_layout.h"

#include <criterion/criterion.h>

/* Shapes whose terms divide by every tensor size tried. */
static const struct {
    int64_t micro_batch, sequence, hidden, heads;
} shapes[] = {
    {1, 1024, 1024,  16 },
    {4, 2048, 6144,  64 },
    {1, 2048, 12288, 96 },
    {2, 4096, 16384, 128},
};

static const int64_t tensors[] = {1, 2, 4, 8};

static ToyWorld layer_world(size_t shape, int64_t tensor)
{
    ToyWorld world = toy_world();
    world.model.hidden = shapes[shape].hidden;
    world.model.heads = world.model.kv_heads = shapes[shape].heads;
    world.model.head_dim = shapes[shape].hidden / shapes[shape].heads;
    world.model.ffn = 4 * shapes[shape].hidden;
    world.model.max_sequence = shapes[shape].sequence;
    world.plan.sequence_length = shapes[shape].sequence;
    world.plan.micro_batch = shapes[shape].micro_batch;
    world.plan.tensor = tensor;
    world.plan.attention = STRAT_ATTENTION_UNFUSED;
    world.plan.dropout = true;
    toy_lay_out(&world, 1, 1);
    return world;
}

static double layer_bytes(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = world->plan.tensor};
    return strat_chunk_saved_bytes(&costing, &layer);
}

/* s b h and the score term 5 a s^2 b, of a shape. */
static double sbh(size_t i)
{
    return (double)(shapes[i].micro_batch * shapes[i].sequence * shapes[i].hidden);
}

static double scores(size_t i)
{
    double s = (double)shapes[i].sequence;
    return 5.0 * (double)shapes[i].heads * s * s * (double)shapes[i].micro_batch;
}

static void expect_bytes(double got, double want, size_t shape, double t)
{
    cr_expect(got >= want && got <= want, "shape %zu, t=%g: %.0f bytes, not %.0f", shape, t, got,
              want);
}

/* Calls @check for each shape and tensor size. */
static void for_each(void (*check)(size_t shape, ToyWorld *world, double t))
{
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(tensors); j++) {
            ToyWorld world = layer_world(i, tensors[j]);
            check(i, &world, (double)tensors[j]);
        }
    }
}

static void check_tensor(size_t i, ToyWorld *world, double t)
{
    expect_bytes(layer_bytes(world), sbh(i) * (10.0 + 24.0 / t) + scores(i) / t, i, t);
}

Test(activation_memory, a_layer_keeps_ten_shares_whole_and_cuts_the_rest_over_the_tensor_group)
{
    for_each(check_tensor);
}

Test(activation_memory, one_rank_keeps_thirty_four_shares_and_the_scores)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        ToyWorld world = layer_world(i, 1);
        expect_bytes(layer_bytes(&world), 34.0 * sbh(i) + scores(i), i, 1.0);
    }
}

static void check_sequence(size_t i, ToyWorld *world, double t)
{
    world->plan.sequence_parallel = true;
    expect_bytes(layer_bytes(world), (34.0 * sbh(i) + scores(i)) / t, i, t);
}

Test(activation_memory, sequence_parallelism_cuts_everything_over_the_tensor_group)
{
    for_each(check_sequence);
}

static void check_selective(size_t i, ToyWorld *world, double t)
{
    world->plan.recompute = STRAT_RECOMPUTE_SELECTIVE;
    expect_bytes(layer_bytes(world), sbh(i) * (10.0 + 24.0 / t), i, t);
    world->plan.sequence_parallel = true;
    expect_bytes(layer_bytes(world), 34.0 * sbh(i) / t, i, t);
}

Test(activation_memory, selective_recomputation_drops_the_scores)
{
    for_each(check_selective);
}

static void check_full(size_t i, ToyWorld *world, double t)
{
    world->plan.recompute = STRAT_RECOMPUTE_FULL;
    expect_bytes(layer_bytes(world), 2.0 * sbh(i), i, t);
}

Test(activation_memory, full_recomputation_keeps_the_input_alone)
{
    for_each(check_full);
}

/* What the paper leaves to the reader: no dropout, no masks; they are one byte of the residuals'
 * two and three of the scores' five. */
Test(activation_memory, without_dropout_no_masks_are_kept)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        ToyWorld world = layer_world(i, 1);
        world.plan.dropout = false;
        expect_bytes(layer_bytes(&world), 32.0 * sbh(i) + scores(i) * 2.0 / 5.0, i, 1.0);
    }
}

Test(activation_memory, context_ranks_cut_everything_but_the_length_of_a_row_of_scores)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        ToyWorld world = layer_world(i, 1);
        world.plan.context = 4;
        expect_bytes(layer_bytes(&world), (34.0 * sbh(i) + scores(i)) / 4.0, i, 1.0);
    }
}

/* Memory of stage @stage of a plan; the embedding's and the head's own come on top at the ends. */
static void check_stages(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    int64_t p = world->plan.pipeline, m = world->plan.global_batch / world->plan.micro_batch;
    cr_assert(stages->len == p);
    for (int64_t i = 0; i < p; i++) {
        StratModelChunk chunk = strat_chunk_at(&world->model, &world->plan, i, 0);
        double held = (double)MIN(m, p - i), one = strat_chunk_saved_bytes(&costing, &chunk);
        const StratMemory *memory = &g_array_index(stages, StratMemory, i);
        cr_expect(memory->in_flight >= held && memory->in_flight <= held,
                  "stage %d of %d, m=%d: %g in flight", (int)i, (int)p, (int)m, memory->in_flight);
        expect_bytes(memory->activations_bytes, held * one, (size_t)i, (double)p);
    }
}

Test(activation_memory, stage_i_of_1f1b_holds_the_smaller_of_m_and_p_minus_i_microbatches)
{
    static const int64_t stages[] = {2, 4, 8}, microbatches[] = {1, 2, 3, 4, 7, 8, 32};
    for (size_t i = 0; i < G_N_ELEMENTS(stages); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(microbatches); j++) {
            ToyWorld world = layer_world(0, 1);
            world.plan.pipeline = stages[i];
            toy_lay_out(&world, 1, microbatches[j]);
            check_stages(&world);
        }
    }
}

Test(activation_memory, gpipe_holds_every_microbatch)
{
    ToyWorld world = layer_world(0, 1);
    world.plan.pipeline = 4;
    toy_lay_out(&world, 1, 12);
    world.plan.schedule = "gpipe";
    StratCosting costing = toy_costing(&world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    for (guint i = 0; i < stages->len; i++)
        cr_expect((int)g_array_index(stages, StratMemory, i).in_flight == 12);
}
