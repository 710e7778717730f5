/* Laws of a training step, on all plans of toy_plans.c. Where a law compares two runs, times differ
 * by sums of rounded pieces, so a later run may end a few ns late without being slower: SLACK is a
 * millionth of the step, against effects of a thousandth and more. Only what is true in general is
 * asked: chunked overlap of the tensor group, for one, may lose (smaller products), and is not. */
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

static const double SLACK = 1e-6;

static StratTrainResult *run_costed(const StratCosting *costing)
{
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(costing, true, &error);
    cr_assert(result != NULL, "%s", error ? error->message : "");
    return result;
}

static StratTrainResult *run(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    return run_costed(&costing);
}

static SimTime step_ns(const ToyWorld *world)
{
    g_autoptr(StratTrainResult) result = run(world);
    return result->step_ns;
}

static void expect_not_slower(const ToyWorld *fast, const ToyWorld *slow, const char *what)
{
    SimTime a = step_ns(fast), b = step_ns(slow);
    g_autofree char *plan = toy_plan_describe(slow);
    cr_expect((double)a <= (double)b * (1.0 + SLACK), "%s: %" PRId64 " ns, before %" PRId64 ": %s",
              what, a, b, plan);
}

static void check_ledger(const ToyWorld *world)
{
    g_autoptr(StratTrainResult) result = run(world);
    g_autofree char *plan = toy_plan_describe(world);
    cr_expect(result->gpus == world->cluster.gpu_count);
    cr_expect(result->step_ns > 0);
    cr_expect(toy_ledger_sum(result) == result->gpus * result->step_ns,
              "%" PRId64 " of %" PRId64 " ns: %s", toy_ledger_sum(result),
              result->gpus * result->step_ns, plan);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        cr_expect(result->ledger_ns[b] >= 0, "%s: %s", strat_bucket_key((StratBucket)b), plan);
}

Test(train_laws, every_gpu_nanosecond_is_in_exactly_one_account)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        for (int recompute = STRAT_RECOMPUTE_NONE; recompute <= STRAT_RECOMPUTE_FULL; recompute++) {
            ToyWorld world = toy_plan_at(i);
            world.plan.recompute = (StratRecompute)recompute;
            check_ledger(&world);
        }
    }
}

/* The hardware made better in one respect. */
typedef struct Improvement {
    const char *what;
    void (*make)(ToyWorld *world);
} Improvement;

static void peak(ToyWorld *world)
{
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        world->cluster.node.gpu.peak_flop_per_s[t] *= 1.5;
}

static void memory(ToyWorld *world)
{
    world->cluster.node.gpu.memory_bytes_per_s *= 1.5;
}

static void clock_rate(ToyWorld *world)
{
    world->profile.sustained_clock_fraction *= 1.1;
}

static void scale_up(ToyWorld *world)
{
    world->cluster.node.scale_up_bytes_per_s *= 3.0;
}

static void scale_out(ToyWorld *world)
{
    world->cluster.node.nic_bytes_per_s *= 3.0;
}

static void wires(ToyWorld *world)
{
    TopoNode *node = &world->cluster.node;
    node->scale_up_protocols = toy_wires(1.0, 7e-6 / 4.0, 0.6e-6 / 4.0);
    node->scale_out_protocols = toy_wires(1.0, 19e-6 / 4.0, 3.1e-6 / 4.0);
    node->nic_latency_s = node->scale_up_latency_s = 0.0;
}

static void launches(ToyWorld *world)
{
    world->profile.memory.launch_s /= 2.0;
    world->profile.attention.launch_s /= 2.0;
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        world->profile.gemm[t].launch_s /= 2.0;
}

static void everything(ToyWorld *world)
{
    peak(world);
    memory(world);
    scale_up(world);
    scale_out(world);
    wires(world);
    launches(world);
}

static const Improvement improvements[] = {
    {"a higher peak",       peak      },
    {"faster memory",       memory    },
    {"a higher clock",      clock_rate},
    {"a faster scale-up",   scale_up  },
    {"a faster scale-out",  scale_out },
    {"wires less late",     wires     },
    {"quicker launches",    launches  },
    {"everything improved", everything},
};

Test(train_laws, better_hardware_is_never_slower)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld before = toy_plan_at(i);
        before.plan.comm_slowdown = i % 2 ? 0.1 : 0.0;
        for (size_t k = 0; k < G_N_ELEMENTS(improvements); k++) {
            ToyWorld after = before;
            improvements[k].make(&after);
            expect_not_slower(&after, &before, improvements[k].what);
        }
    }
}

Test(train_laws, everything_three_halves_as_fast_is_faster)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld before = toy_plan_at(i), after = before;
        everything(&after);
        cr_expect((double)step_ns(&after) < 0.9 * (double)step_ns(&before));
    }
}

static void host_stall(ToyWorld *world)
{
    world->plan.host_stall_s += 1e-3;
}

static void kernel_gap(ToyWorld *world)
{
    world->plan.kernel_gap_s += 1e-6;
}

static void slowdown(ToyWorld *world)
{
    world->plan.comm_slowdown += 0.2;
}

Test(train_laws, what_holds_a_gpu_back_never_helps)
{
    static const Improvement burdens[] = {
        {"host stalls",               host_stall},
        {"gaps between kernels",      kernel_gap},
        {"collectives that take SMs", slowdown  },
    };
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld light = toy_plan_at(i);
        for (size_t k = 0; k < G_N_ELEMENTS(burdens); k++) {
            ToyWorld heavy = light;
            burdens[k].make(&heavy);
            expect_not_slower(&light, &heavy, burdens[k].what);
            check_ledger(&heavy);
        }
    }
}

/* Wires without latency: more, smaller collectives then move the same bytes in the same time. */
static ToyWorld latency_free(size_t index)
{
    ToyWorld world = toy_plan_at(index);
    TopoNode bare = toy_world().cluster.node;
    world.cluster.node.scale_up_protocols = bare.scale_up_protocols;
    world.cluster.node.scale_out_protocols = bare.scale_out_protocols;
    world.cluster.node.scale_up_latency_s = world.cluster.node.nic_latency_s = 0.0;
    world.plan.overlap_data = world.plan.overlap_pipeline = false;
    world.plan.overlap_tensor = world.plan.overlap_tensor_backward = false;
    return world;
}

Test(train_laws, overlap_is_never_slower)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld off = latency_free(i), data = off, sends = off, tensor = off, all = off;
        data.plan.overlap_data = true;
        sends.plan.overlap_pipeline = true;
        tensor.plan.overlap_tensor_backward = true;
        all.plan.overlap_data = all.plan.overlap_pipeline = true;
        all.plan.overlap_tensor_backward = true;
        expect_not_slower(&data, &off, "overlap of data");
        expect_not_slower(&sends, &off, "overlap of sends");
        expect_not_slower(&tensor, &off, "overlap of tensor");
        expect_not_slower(&all, &off, "all overlaps");
    }
}

/* Most bytes of activations that a stage of @world holds. */
static double activations(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    double most = 0.0;
    for (guint i = 0; i < stages->len; i++)
        most = MAX(most, g_array_index(stages, StratMemory, i).activations_bytes);
    return most;
}

Test(train_laws, more_recomputation_takes_longer_and_keeps_less)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        for (int attention = STRAT_ATTENTION_UNFUSED; attention <= STRAT_ATTENTION_FLASH;
             attention++) {
            ToyWorld none = toy_plan_at(i);
            none.plan.attention = (StratAttention)attention;
            ToyWorld selective = none, full = none;
            selective.plan.recompute = STRAT_RECOMPUTE_SELECTIVE;
            full.plan.recompute = STRAT_RECOMPUTE_FULL;
            expect_not_slower(&none, &selective, "no recomputation");
            expect_not_slower(&selective, &full, "selective recomputation");
            cr_expect(activations(&full) <= activations(&selective));
            cr_expect(activations(&selective) <= activations(&none));
            if (attention == STRAT_ATTENTION_UNFUSED)
                cr_expect(activations(&selective) < activations(&none));
            cr_expect(activations(&full) < activations(&none));
        }
    }
}

Test(train_laws, recomputation_has_its_own_account)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld none = toy_plan_at(i), full = none;
        full.plan.recompute = STRAT_RECOMPUTE_FULL;
        g_autoptr(StratTrainResult) a = run(&none);
        g_autoptr(StratTrainResult) b = run(&full);
        static const StratBucket same[] = {STRAT_BUCKET_GEMM, STRAT_BUCKET_ATTENTION,
                                           STRAT_BUCKET_ELEMENTWISE, STRAT_BUCKET_EMBEDDING_HEAD,
                                           STRAT_BUCKET_OPTIMIZER};
        for (size_t k = 0; k < G_N_ELEMENTS(same); k++)
            cr_expect(a->ledger_ns[same[k]] == b->ledger_ns[same[k]]);
        cr_expect(a->ledger_ns[STRAT_BUCKET_RECOMPUTE] == 0);
        cr_expect(b->ledger_ns[STRAT_BUCKET_RECOMPUTE] > 0);
        cr_expect(strat_train_hfu_fraction(b) > strat_train_mfu_fraction(b));
    }
}

Test(train_laws, utilisation_is_between_nothing_and_the_peak)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        g_autoptr(StratTrainResult) result = run(&world);
        double mfu = strat_train_mfu_fraction(result), hfu = strat_train_hfu_fraction(result);
        cr_expect(mfu > 0.0 && mfu <= hfu && hfu < 1.0, "MFU %g, HFU %g", mfu, hfu);
    }
}

static int64_t layer_ns(const StratTrainResult *result)
{
    return result->ledger_ns[STRAT_BUCKET_GEMM] + result->ledger_ns[STRAT_BUCKET_ATTENTION] +
           result->ledger_ns[STRAT_BUCKET_ELEMENTWISE];
}

Test(train_laws, twice_the_layers_are_twice_the_compute)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld once = toy_plan_at(i), twice = once;
        if (once.plan.count_embedding)
            continue; /* the ends take two layers' places: stages would not fill */
        twice.model.layers *= 2;
        twice.model.dense_layers *= 2;
        g_autoptr(StratTrainResult) a = run(&once);
        g_autoptr(StratTrainResult) b = run(&twice);
        double ratio = (double)layer_ns(b) / (double)layer_ns(a);
        cr_expect(ratio >= 1.9 && ratio <= 2.0 + SLACK, "%g", ratio);
        cr_expect(b->step_ns > a->step_ns);
    }
}

Test(train_laws, twice_the_microbatches_take_longer_but_not_twice_as_long)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld once = toy_plan_at(i), twice = once;
        twice.plan.global_batch *= 2;
        SimTime a = step_ns(&once), b = step_ns(&twice);
        g_autofree char *plan = toy_plan_describe(&once);
        cr_expect(b > a && (double)b <= 2.0 * (double)a * (1.0 + SLACK),
                  "%" PRId64 " ns, twice %" PRId64 ": %s", a, b, plan);
    }
}

Test(train_laws, replicas_that_talk_for_free_take_as_long_as_one)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld many = toy_plan_at(i);
        if (many.plan.expert > 1)
            continue; /* one replica alone does not hold all experts */
        many.plan.zero_stage = 0;
        many.plan.overlap_data = false;
        ToyWorld one = many;
        one.plan.data = 1;
        one.plan.global_batch /= many.plan.data;
        one.cluster.gpu_count /= many.plan.data;
        StratCosting all = toy_costing(&many), alone = toy_costing(&one);
        all.net = alone.net = &toy_free_net;
        g_autoptr(StratTrainResult) a = run_costed(&all);
        g_autoptr(StratTrainResult) b = run_costed(&alone);
        cr_expect(a->step_ns == b->step_ns, "%" PRId64 " and %" PRId64, a->step_ns, b->step_ns);
    }
}

Test(train_laws, the_same_plan_runs_the_same_way_again)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        g_autoptr(StratTrainResult) a = run(&world);
        g_autoptr(StratTrainResult) b = run(&world);
        size_t bytes = a->run->op_count * sizeof(SimTime);
        cr_assert(a->run->op_count == b->run->op_count);
        cr_expect(memcmp(a->run->start, b->run->start, bytes) == 0);
        cr_expect(memcmp(a->run->end, b->run->end, bytes) == 0);
        cr_expect(memcmp(a->ledger_ns, b->ledger_ns, sizeof a->ledger_ns) == 0);
    }
}
