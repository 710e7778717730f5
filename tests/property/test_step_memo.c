/* What a memo answers is what a simulation of the state itself gives, to the nanosecond, wherever
 * its laws of gangs, replicas and swaps are used; more only where it says so. */
#include "strat_step_memo.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <inttypes.h>

typedef struct Job {
    ToyWorld world;
    int64_t *gpu_of_rank;
    int64_t runs;
} Job;

/* A StratStepFunc of a Job. */
static double simulate(const StratJobState *state, void *ctx)
{
    Job *job = ctx;
    StratCosting costing = toy_costing(&job->world);
    costing.gpu_of_rank = job->gpu_of_rank;
    costing.state = state;
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert(result, "%s", error ? error->message : "");
    job->runs++;
    return (double)result->step_ns;
}

static StratAlike *alike_of(const Job *job)
{
    StratPlaces places = {&job->world.cluster, job->gpu_of_rank, NULL, NULL};
    return strat_alike_new(&places, &job->world.plan);
}

/* Every rank one slot further, so that GPUs and ranks have other numbers. */
static int64_t *rotated(const ToyWorld *world)
{
    int64_t slots = world->cluster.node_count * world->cluster.node.gpus;
    int64_t *gpu_of_rank = g_new(int64_t, slots);
    for (int64_t r = 0; r < slots; r++)
        gpu_of_rank[r] = (r + 1) % slots;
    return gpu_of_rank;
}

Test(step_memo, answers_are_those_of_the_simulation_of_the_state_itself)
{
    SimRandom stream = sim_random_stream(2026, "memo");
    int64_t exact = 0, bounded = 0;
    for (int i = 0; i < 400; i++) {
        Job job = {.world = toy_plan_random(&stream)};
        if (i % 4 == 1)
            job.world.plan.profiled = (StratProfiled){1e-3, 1.5e-3, 0.5e-3, 1e-5};
        if (i % 5 == 2)
            job.world.cluster.node.nics = (job.world.cluster.node.gpus + 1) / 2;
        g_autofree int64_t *gpu_of_rank = i % 3 == 0 ? rotated(&job.world) : NULL;
        job.gpu_of_rank = gpu_of_rank;
        g_autoptr(StratAlike) alike = alike_of(&job);
        ToyWorn worn;
        toy_wear(&job.world, &stream, &worn);
        if (i % 4 == 0) /* slow GPUs only, or one weak NIC only: what is exact */
            worn.state.weak_count = 0;
        if (i % 4 == 2) {
            worn.state.slow_count = 0;
            worn.state.weak_count = MIN(worn.state.weak_count, 1);
        }
        g_autoptr(StratStepMemo) memo = strat_step_memo_new(simulate, &job, alike);
        double itself = simulate(&worn.state, &job);
        double answer = strat_step_memo_step(&worn.state, memo);
        bool is_bounded = strat_step_memo_counts(memo).bounded > 0;
        g_autofree char *what = toy_plan_describe(&job.world);
        if (is_bounded)
            cr_expect(answer >= itself, "case %d, %s: %.0f below %.0f", i, what, answer, itself);
        else
            cr_expect(answer == itself, "case %d, %s: %.0f, not %.0f", i, what, answer, itself);
        exact += !is_bounded;
        bounded += is_bounded;
    }
    cr_expect(exact > 100 && bounded > 20, "%d exact, %d bounded", (int)exact, (int)bounded);
}

/* Eight replicas of four stages of two: 64 GPUs, four steps. */
Test(step_memo, one_slow_gpu_is_simulated_once_a_stage)
{
    Job job = {.world = toy_world()};
    job.world.plan.tensor = 2;
    job.world.plan.pipeline = 4;
    toy_lay_out(&job.world, 8, 8);
    g_autoptr(StratAlike) alike = alike_of(&job);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(simulate, &job, alike);
    for (int64_t gpu = 0; gpu < 64; gpu++) {
        StratSlowGpu slow = {gpu, 0.8};
        strat_step_memo_step(&(StratJobState){.slow = &slow, .slow_count = 1}, memo);
    }
    cr_expect(job.runs == 4, "%d runs", (int)job.runs);
    for (int64_t gpu = 0; gpu + 1 < 64; gpu++) {
        StratSlowGpu slow[] = {
            {gpu,     0.8},
            {gpu + 1, 0.8},
        };
        strat_step_memo_step(&(StratJobState){.slow = slow, .slow_count = 2}, memo);
    }
    cr_expect(job.runs == 4,
              "neighbours are of one gang, or of two replicas, or of the first and "
              "the last: %d runs",
              (int)job.runs);
    StratStepCounts counts = strat_step_memo_counts(memo);
    cr_expect(counts.asked == 64 + 63 && counts.simulated == 4 && counts.bounded == 0);
}

/* Each rank has a NIC, and ranks of a tensor group are alike: one weak NIC a stage. */
Test(step_memo, one_weak_nic_is_simulated_once_a_stage)
{
    Job job = {.world = toy_world()};
    job.world.plan.tensor = 2;
    job.world.plan.pipeline = 4;
    toy_lay_out(&job.world, 8, 8);
    g_autoptr(StratAlike) alike = alike_of(&job);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(simulate, &job, alike);
    for (int64_t nic = 0; nic < 64; nic++) {
        StratWeakNic weak = {nic / 8, nic % 8, 0.5};
        strat_step_memo_step(&(StratJobState){.weak = &weak, .weak_count = 1}, memo);
    }
    cr_expect(job.runs == 4, "%d runs", (int)job.runs);
}

Test(step_memo, what_touches_no_rank_is_the_healthy_step)
{
    Job job = {.world = toy_world()};
    toy_lay_out(&job.world, 4, 1);
    job.world.cluster.node_count = 2; /* half of the first node and all of the second are idle */
    g_autoptr(StratAlike) alike = alike_of(&job);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(simulate, &job, alike);
    StratSlowGpu slow = {9, 0.5};
    StratWeakNic weak = {1, 0, 0.0};
    double healthy = strat_step_memo_step(&(StratJobState){.slow_count = 0}, memo);
    double idle = strat_step_memo_step(
        &(StratJobState){.slow = &slow, .slow_count = 1, .weak = &weak, .weak_count = 1}, memo);
    cr_expect(idle == healthy && job.runs == 1);
}

Test(step_memo, without_symmetry_only_equal_states_share_an_answer)
{
    Job job = {.world = toy_world()};
    toy_lay_out(&job.world, 8, 2);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(simulate, &job, NULL);
    for (int64_t gpu = 0; gpu < 8; gpu++) {
        StratSlowGpu slow = {gpu / 2, 0.8};
        strat_step_memo_step(&(StratJobState){.slow = &slow, .slow_count = 1}, memo);
    }
    cr_expect(job.runs == 4);
}
