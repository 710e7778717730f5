/* Folding changes nothing: ranks that behave alike, simulated once with a multiplicity, give the
 * integer nanoseconds of a run of every rank - the step, each account, and each operation of a
 * class against the same operation of each of its ranks. One test makes a single rank of one class
 * slower by a nanosecond an operation, to show that the comparison notices. */
#include "toy_plans.h"

#include "sim_random.h"
#include "strat_layout.h"
#include "topo_placement.h"

#include <criterion/criterion.h>

#include <inttypes.h>

static StratTrainResult *run(const ToyWorld *world, const int64_t *gpu_of_rank,
                             const StratJobState *state, bool fold)
{
    StratCosting costing = toy_costing(world);
    costing.gpu_of_rank = gpu_of_rank;
    costing.state = state;
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(&costing, fold, &error);
    g_autofree char *what = toy_plan_describe(world);
    cr_expect(result != NULL, "%s, fold %d: %s", what, fold, error ? error->message : "");
    return result;
}

/* Operations of each class in order, as an array of arrays. */
static GPtrArray *operations_by_class(const StratTrainResult *result)
{
    const SimProgram *program = result->step->program;
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (uint32_t c = 0; c < sim_program_class_count(program); c++)
        g_ptr_array_add(all, g_array_new(FALSE, FALSE, sizeof(uint32_t)));
    for (uint32_t i = 0; i < sim_program_op_count(program); i++)
        g_array_append_val((GArray *)all->pdata[sim_program_op(program, i)->rank_class], i);
    return all;
}

/* Operations of all ranks that start or end at another time than their class's. */
static int64_t differing_operations(const StratTrainResult *folded, const StratTrainResult *whole)
{
    g_autoptr(GPtrArray) classes = operations_by_class(folded);
    g_autoptr(GPtrArray) ranks = operations_by_class(whole);
    int64_t differing = 0;
    for (guint r = 0; r < ranks->len; r++) {
        const GArray *mine = ranks->pdata[r];
        const GArray *theirs = classes->pdata[folded->step->fold->class_of[r]];
        if (mine->len != theirs->len)
            return INT64_MAX;
        for (guint i = 0; i < mine->len; i++) {
            uint32_t a = g_array_index(mine, uint32_t, i), b = g_array_index(theirs, uint32_t, i);
            differing += whole->run->start[a] != folded->run->start[b] ||
                         whole->run->end[a] != folded->run->end[b];
        }
    }
    return differing;
}

/* The step, the same folded and not; 0 when it does not run. */
static SimTime expect_same_in(const ToyWorld *world, const int64_t *gpu_of_rank,
                              const StratJobState *state)
{
    g_autoptr(StratTrainResult) folded = run(world, gpu_of_rank, state, true);
    g_autoptr(StratTrainResult) whole = run(world, gpu_of_rank, state, false);
    g_autofree char *what = toy_plan_describe(world);
    if (!folded || !whole)
        return 0;
    cr_expect(whole->classes == world->cluster.gpu_count);
    cr_expect(folded->classes <= whole->classes);
    cr_expect(folded->step_ns == whole->step_ns, "%s: folded %" PRId64 " ns, whole %" PRId64, what,
              folded->step_ns, whole->step_ns);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        cr_expect(folded->ledger_ns[b] == whole->ledger_ns[b],
                  "%s: %s, folded %" PRId64 " ns, whole %" PRId64, what,
                  strat_bucket_key((StratBucket)b), folded->ledger_ns[b], whole->ledger_ns[b]);
    int64_t differing = differing_operations(folded, whole);
    cr_expect(differing == 0, "%s: %" PRId64 " operations at other times", what, differing);
    return folded->step_ns;
}

static SimTime expect_same(const ToyWorld *world, const int64_t *gpu_of_rank)
{
    return expect_same_in(world, gpu_of_rank, NULL);
}

Test(fold, gives_the_nanoseconds_of_every_rank)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        expect_same(&world, NULL);
    }
}

Test(fold, gives_the_nanoseconds_of_every_rank_with_other_recomputation)
{
    for (size_t i = 0; i < toy_plan_count(); i += 3) {
        ToyWorld world = toy_plan_at(i);
        world.plan.recompute = i % 2 ? STRAT_RECOMPUTE_FULL : STRAT_RECOMPUTE_SELECTIVE;
        expect_same(&world, NULL);
    }
}

Test(fold, gives_the_nanoseconds_of_every_rank_with_measured_stages)
{
    for (size_t i = 0; i < toy_plan_count(); i += 2) {
        ToyWorld world = toy_plan_at(i);
        world.plan.profiled = (StratProfiled){1e-3, 1.5e-3, 0.5e-3, 1e-5};
        expect_same(&world, NULL);
    }
}

/* Sizes of eight ranks in all ways, on nodes that fit and that do not. */
Test(fold, gives_the_nanoseconds_of_every_rank_in_every_cut_of_eight)
{
    for (int64_t t = 1; t <= 8; t *= 2) {
        for (int64_t c = 1; c * t <= 8; c *= 2) {
            for (int64_t p = 1; p * c * t <= 8; p *= 2) {
                for (int64_t domain = 3; domain <= 8; domain += 5) {
                    ToyWorld world = toy_world();
                    world.plan.tensor = t;
                    world.plan.context = c;
                    world.plan.pipeline = p;
                    world.plan.zero_stage = p % 2 ? 3 : 1;
                    world.plan.overlap_data = domain == 3;
                    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = domain;
                    toy_lay_out(&world, 8 / (t * c * p), 4);
                    expect_same(&world, NULL);
                }
            }
        }
    }
}

/* Steps of @world with its ranks on @placement, in a cluster of @spare nodes more than they need;
 * folded and not. */
static SimTime expect_same_placed(ToyWorld *world, const char *placement, int64_t spare)
{
    world->cluster.node_count += spare;
    TopoPlacementSpec spec = {
        .cluster = &world->cluster, .placement = placement, .ranks = world->cluster.gpu_count};
    g_autoptr(GError) error = NULL;
    g_autofree int64_t *gpu_of_rank = topo_place(&spec, &error);
    cr_assert(gpu_of_rank != NULL, "%s", error ? error->message : "");
    SimTime step = expect_same(world, gpu_of_rank);
    world->cluster.node_count -= spare;
    return step;
}

Test(fold, gives_the_nanoseconds_of_every_rank_wherever_ranks_are_placed)
{
    static const char *const placements[] = {"spread", "rail-aligned"};
    for (size_t i = 0; i < toy_plan_count(); i++) {
        for (size_t p = 0; p < G_N_ELEMENTS(placements); p++) {
            ToyWorld world = toy_plan_at(i);
            expect_same_placed(&world, placements[p], (int64_t)(i % 3));
        }
    }
}

/* Shuffles the slots of @world's ranks. */
static int64_t *shuffled(const ToyWorld *world, SimRandom *stream)
{
    int64_t slots = topo_slot_count(&world->cluster);
    int64_t *gpu_of_rank = g_new(int64_t, slots);
    for (int64_t i = 0; i < slots; i++) {
        int64_t j = (int64_t)sim_random_below(stream, (uint64_t)i + 1);
        gpu_of_rank[i] = gpu_of_rank[j];
        gpu_of_rank[j] = i;
    }
    return gpu_of_rank;
}

Test(fold, gives_the_nanoseconds_of_every_rank_shuffled_at_random)
{
    SimRandom stream = sim_random_stream(2026, "slots");
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        g_autofree int64_t *gpu_of_rank = shuffled(&world, &stream);
        expect_same(&world, gpu_of_rank);
    }
}

Test(fold, packed_ranks_are_those_without_a_placement)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        SimTime placed = expect_same_placed(&world, "packed", 1);
        cr_expect(placed == expect_same(&world, NULL), "plan %zu", i);
    }
}

Test(fold, gives_the_nanoseconds_of_every_rank_of_random_plans)
{
    SimRandom stream = sim_random_stream(2026, "plans");
    for (int i = 0; i < 300; i++) {
        ToyWorld world = toy_plan_random(&stream);
        expect_same(&world, NULL);
    }
}

Test(fold, gives_the_nanoseconds_of_every_rank_whichever_are_slow)
{
    SimRandom stream = sim_random_stream(2026, "worn");
    for (int i = 0; i < 300; i++) {
        ToyWorld world = toy_plan_random(&stream);
        g_autofree int64_t *gpu_of_rank = i % 3 == 0 ? shuffled(&world, &stream) : NULL;
        ToyWorn worn;
        if (i % 4 == 1)
            world.plan.profiled = (StratProfiled){1e-3, 1.5e-3, 0.5e-3, 1e-5};
        if (i % 5 == 2)
            world.cluster.node.nics = (world.cluster.node.gpus + 1) / 2;
        toy_wear(&world, &stream, &worn);
        SimTime healthy = expect_same(&world, gpu_of_rank);
        SimTime slow = expect_same_in(&world, gpu_of_rank, &worn.state);
        cr_expect(slow >= healthy, "case %d: %" PRId64 " ns, healthy %" PRId64, i, slow, healthy);
    }
}

Test(fold, one_slow_gpu_makes_four_classes_of_a_stage)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 8;
    world.plan.pipeline = 4;
    toy_lay_out(&world, 16, 8);
    StratSlowGpu slow = {.gpu = 137, .clock_fraction = 0.8};
    StratJobState state = {.slow = &slow, .slow_count = 1};
    StratPlaces places = {&world.cluster, NULL, &state, NULL};
    g_autoptr(StratFold) fold = strat_fold_new(&places, &world.plan, true);
    cr_expect(fold->classes == 16, "%" PRId64 " classes", fold->classes);
    cr_expect(fold->multiplicity[fold->class_of[137]] == 1, "the slow one");
    cr_expect(fold->multiplicity[fold->class_of[136]] == 7, "its gang");
    cr_expect(fold->multiplicity[fold->class_of[129]] == 15, "who reduces gradients with it");
    cr_expect(fold->multiplicity[fold->class_of[128]] == 7 * 15, "the others of the stage");
}

Test(fold, counts_every_rank_once)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        g_autoptr(StratFold) fold =
            strat_fold_new(&(StratPlaces){.cluster = &world.cluster}, &world.plan, true);
        int64_t ranks = 0;
        for (int64_t c = 0; c < fold->classes; c++) {
            ranks += fold->multiplicity[c];
            cr_expect(fold->class_of[fold->representative[c]] == c);
        }
        cr_expect(ranks == strat_rank_count(&world.plan));
        for (int64_t r = 0; r < fold->ranks; r++) {
            int64_t first = fold->representative[fold->class_of[r]];
            cr_expect(strat_rank_at(&world.plan, r).stage ==
                      strat_rank_at(&world.plan, first).stage);
        }
    }
}

Test(fold, leaves_one_class_a_stage_where_the_groups_fit_the_nodes)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 8;
    world.plan.pipeline = 4;
    toy_lay_out(&world, 16, 8);
    g_autoptr(StratFold) fold =
        strat_fold_new(&(StratPlaces){.cluster = &world.cluster}, &world.plan, true);
    cr_expect(fold->classes == 4, "%" PRId64 " classes", fold->classes);
    for (int64_t c = 0; c < fold->classes; c++)
        cr_expect(fold->multiplicity[c] == 128);
}

Test(fold, splits_the_ranks_whose_tensor_group_straddles_two_nodes)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 4;
    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = 6;
    toy_lay_out(&world, 3, 1); /* nodes end at 6: groups {0..3}, {4..7}, {8..11} */
    g_autoptr(StratFold) fold =
        strat_fold_new(&(StratPlaces){.cluster = &world.cluster}, &world.plan, true);
    cr_expect(fold->class_of[0] != fold->class_of[4], "inside a node and across two");
    cr_expect(fold->class_of[0] == fold->class_of[8], "mirror images are alike");
}

/* Buckets, classes and streams of @from, into @to. */
static void copy_frame(const SimProgram *from, SimProgram *to)
{
    for (uint16_t b = 0; b < sim_program_bucket_count(from); b++)
        sim_program_bucket(to, sim_program_bucket_name(from, b));
    for (uint32_t c = 0; c < sim_program_class_count(from); c++) {
        sim_program_add_class(to, "copy", sim_program_class_multiplicity(from, c));
        for (uint16_t s = 1; s < sim_program_stream_count(from, c); s++)
            sim_program_add_stream(to, c, "copy");
    }
}

/* Groups with as many members as operations of @from name them, and who waits for whom. */
static void copy_meetings(const SimProgram *from, SimProgram *to)
{
    uint32_t ops = sim_program_op_count(from), groups = 0;
    g_autofree uint32_t *members = g_new0(uint32_t, ops + 1);
    for (uint32_t i = 0; i < ops; i++) {
        uint32_t group = sim_program_op(from, i)->group, count;
        const uint32_t *next = sim_program_successors(from, i, &count);
        for (uint32_t k = 0; k < count; k++)
            sim_program_add_dep(to, next[k], i);
        if (group == SIM_GROUP_NONE)
            continue;
        members[group]++;
        groups = MAX(groups, group + 1);
    }
    for (uint32_t g = 0; g < groups; g++)
        sim_program_add_group(to, members[g]);
}

/* A copy of @from in which compute of @rank_class takes @extra_ns longer. */
static SimProgram *slow_copy(const SimProgram *from, uint32_t rank_class, SimTime extra_ns)
{
    SimProgram *to = sim_program_new();
    copy_frame(from, to);
    for (uint32_t i = 0; i < sim_program_op_count(from); i++) {
        SimOp op = *sim_program_op(from, i);
        op.label = sim_program_label(to, "copy");
        if (!sim_op_kind_is_transfer(op.kind)) {
            SimSegment whole = {.duration_ns = sim_program_block_total(from, op.block)};
            whole.duration_ns += op.rank_class == rank_class ? extra_ns : 0;
            op.block = sim_program_add_block(to, &whole, 1);
        }
        sim_program_add_op(to, &op);
    }
    copy_meetings(from, to);
    return to;
}

/* Operations at other times than @folded's when rank @slow of the whole run is slower. */
static int64_t differing_when_slow(const ToyWorld *world, const StratTrainResult *folded,
                                   uint32_t slow, SimTime extra_ns)
{
    StratCosting costing = toy_costing(world);
    StratTrainResult whole = {.step = strat_compile(&costing, false, NULL)};
    SimProgram *program = slow_copy(whole.step->program, slow, extra_ns);
    g_autoptr(GError) error = NULL;
    cr_assert(sim_program_seal(program, &error), "%s", error ? error->message : "");
    const GArray *transfers = whole.step->transfers->transfers;
    SimNet *net = topo_sim_net_new(costing.net, costing.cluster, (TopoTransfer *)transfers->data,
                                   transfers->len, NULL);
    whole.run = sim_exec_run(program, net, &error);
    cr_assert(whole.run != NULL, "%s", error ? error->message : "");
    int64_t differing = differing_operations(folded, &whole);
    topo_sim_net_free(net);
    sim_program_free(program);
    sim_run_free(whole.run);
    strat_step_free(whole.step);
    return differing;
}

Test(fold, comparison_can_fail)
{
    static const size_t plans[] = {3, 8, 10};
    for (size_t i = 0; i < G_N_ELEMENTS(plans); i++) {
        ToyWorld world = toy_plan_at(plans[i]);
        g_autoptr(StratTrainResult) folded = run(&world, NULL, NULL, true);
        cr_assert(folded != NULL);
        uint32_t last = (uint32_t)world.cluster.gpu_count - 1;
        cr_expect(differing_when_slow(&world, folded, last, 0) == 0, "a copy is the same");
        cr_expect(differing_when_slow(&world, folded, last, 1) > 0, "a nanosecond goes unnoticed");
    }
}
