/* What a software holds besides, against what can be worked out by hand, for a GPT of h = 1024 with
 * V = 8192 words and T = 1024 tokens a microbatch:
 *
 *   loss        V T of logits, kept and at most as strat_footprint.c says, cut over the tensor
 * group stand-ins   2 bytes of 3 h h + h h + 4 h h + 4 h h, however many layers root unit   2 bytes
 * of embedding and head, 2 V h, beside two layers matrices    2 bytes of 4 h h + 5e7 gathered, 2 of
 * 4 h h and 4 of at most 5e8 reduced master      10 bytes of optimizer instead of 12 */
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const double H = 1024.0, V = 8192.0, T = 1024.0;

static ToyWorld world_of(int64_t tensor, int64_t data)
{
    ToyWorld world = toy_world();
    world.model.tied_embeddings = false;
    world.model.linear_bias = false;
    world.plan.tensor = tensor;
    toy_lay_out(&world, data, 1);
    return world;
}

static StratMemory memory_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    return g_array_index(stages, StratMemory, 0);
}

static void expect_bytes(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * want, "%s: %.0f, not %.0f", what, got, want);
}

Test(footprint, of_the_loss_is_so_many_bytes_a_logit)
{
    static const struct {
        StratLossKind loss;
        double kept, peak, sharded;
    } cases[] = {
        {STRAT_LOSS_IN_PLACE, 4.0, 6.0,  6.0 },
        {STRAT_LOSS_TORCH,    4.0, 12.0, 16.0},
        {STRAT_LOSS_TORCH_16, 4.0, 8.0,  10.0},
        {STRAT_LOSS_FUSED,    2.0, 2.0,  2.0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int64_t tensor = 1; tensor <= 2; tensor++) {
            ToyWorld world = world_of(tensor, 1);
            StratMemory before = memory_of(&world);
            world.plan.footprint.loss = cases[i].loss;
            StratMemory after = memory_of(&world);
            double logits = V * T / (double)tensor;
            double peak = tensor > 1 ? cases[i].sharded : cases[i].peak;
            cr_expect(fabs(after.workspace_bytes - logits * (peak - cases[i].kept)) < 1.0);
            cr_expect(fabs(after.activations_bytes - before.activations_bytes -
                           logits * (cases[i].kept - 4.0)) < 1.0);
        }
    }
}

Test(footprint, of_stand_ins_is_a_tensor_for_each_shape_of_weight)
{
    ToyWorld world = world_of(1, 1);
    double before = memory_of(&world).workspace_bytes;
    world.plan.footprint.gradient_stand_ins = true;
    expect_bytes(memory_of(&world).workspace_bytes - before, 2.0 * 12.0 * H * H, "stand-ins");
    world.model.layers *= 2;
    expect_bytes(memory_of(&world).workspace_bytes - before, 2.0 * 12.0 * H * H,
                 "twice the layers");
}

Test(footprint, of_a_root_unit_is_embedding_and_head_beside_the_layers)
{
    ToyWorld world = world_of(1, 8);
    world.plan.zero_stage = 3;
    world.plan.overlap_data = true;
    world.plan.footprint.loss = STRAT_LOSS_FUSED;
    StratModelChunk layer = {.layers = 1}, ends = {.embedding = true, .head = true};
    double one = strat_chunk_params(&world.model, &world.plan, &layer);
    double root = strat_chunk_params(&world.model, &world.plan, &ends);
    StratModelChunk head = {.head = true}, embedding = {.embedding = true};
    double largest = MAX(MAX(strat_chunk_params(&world.model, &world.plan, &head),
                             strat_chunk_params(&world.model, &world.plan, &embedding)),
                         one);
    world.plan.footprint.root_unit = true;
    expect_bytes(memory_of(&world).workspace_bytes,
                 2.0 * (root + 2.0 * one) + largest * (2.0 + 4.0), "root");
}

Test(footprint, of_matrices_is_the_largest_and_two_buckets)
{
    ToyWorld world = world_of(1, 8);
    world.plan.zero_stage = 3;
    world.plan.footprint = (StratFootprint){.loss = STRAT_LOSS_FUSED, .matrix_units = true};
    StratModelChunk all = strat_chunk_at(&world.model, &world.plan, 0, 0);
    double params = strat_chunk_params(&world.model, &world.plan, &all);
    cr_assert(params < 5e8);
    double matrix = V * H; /* the vocabulary's, twice the 4 h h of a layer */
    double vocab = model_vocab_shard_params(&world.model, 1);
    double largest = MAX(matrix, vocab);
    expect_bytes(memory_of(&world).workspace_bytes,
                 2.0 * (largest + 5e7) + 2.0 * largest + 4.0 * params, "matrices");
}

Test(footprint, of_a_master_of_two_bytes_is_ten_bytes_a_parameter)
{
    ToyWorld world = world_of(1, 1);
    double twelve = memory_of(&world).optimizer_bytes;
    world.plan.footprint.master_bytes = 2;
    expect_bytes(memory_of(&world).optimizer_bytes, twelve * 10.0 / 12.0, "optimizer");
}

Test(footprint, of_inputs_kept_gathered_is_the_rest_of_the_sequence)
{
    ToyWorld world = world_of(2, 1);
    world.plan.sequence_parallel = true;
    double before = memory_of(&world).activations_bytes;
    world.plan.footprint.gathered_inputs = true;
    double more = 2.0 * (double)world.model.layers + 1.0; /* two a layer, and the head's */
    expect_bytes(memory_of(&world).activations_bytes - before, more * T * H * 2.0 / 2.0, "inputs");
}
