/* Jobs that share a network.
 *
 * One program holds the classes of all jobs, one list the transfers of all, and the network model
 * carries them together. Jobs share nothing but links: each has GPUs of its own.
 *
 * Steps differ in length, so shorter ones are repeated. All jobs start their first step together; a
 * step begins when all ranks of its job have ended the last. With steps of T_j alone and T the
 * longest, job j runs n_j = ceil(T / T_j) of them. The run counts when every job was still at work
 * as the last of them ended its first step; jobs that stopped sooner get more steps and all run
 * again. What is reported of a job is the mean of its steps that ended while every job was at work.
 *
 * A job that meets nobody has exactly the step that it has alone: its repetitions are the same run
 * again, later.
 *
 * Left out: how jobs that run for months drift against each other; this is one alignment of their
 * steps, that of a common start. */
#include "strat_jobs.h"

#include "strat_schedule.h"

#include <math.h>

enum {
    STEPS_MAX = 64, /* of a job, beside one of the longest */
    RUNS_MAX = 6,
};

/* A job while it is laid out. */
typedef struct Plan {
    StratFold *fold;
    uint32_t steps;
    GArray *op_ends;   /* of uint32_t: operations of the program after each step */
    GArray *time_ends; /* of SimTime */
    uint32_t first_op;
} Plan;

typedef struct Together {
    const StratJob *jobs;
    size_t count;
    Plan *plans;
    SimTime *alone_ns;
    int64_t *gpu_of_rank; /* of the ranks of all jobs */
    StratTrainResult *result;
} Together;

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, message);
    return false;
}

static int64_t gpu_of(const StratCosting *costing, int64_t rank)
{
    return costing->gpu_of_rank ? costing->gpu_of_rank[rank] : rank;
}

static void open_jobs(Together *t, bool fold)
{
    int64_t ranks = 0, rank = 0;
    for (size_t j = 0; j < t->count; j++) {
        const StratCosting *costing = t->jobs[j].costing;
        StratPlaces places = strat_places_of(costing);
        t->plans[j].fold = strat_fold_new(&places, costing->plan, fold);
        t->plans[j].op_ends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        t->plans[j].time_ends = g_array_new(FALSE, FALSE, sizeof(SimTime));
        ranks += t->plans[j].fold->ranks;
    }
    t->gpu_of_rank = g_new(int64_t, ranks);
    for (size_t j = 0; j < t->count; j++) {
        for (int64_t r = 0; r < t->plans[j].fold->ranks; r++)
            t->gpu_of_rank[rank++] = gpu_of(t->jobs[j].costing, r);
    }
}

static void close_jobs(Together *t)
{
    for (size_t j = 0; j < t->count; j++) {
        strat_fold_free(t->plans[j].fold);
        g_array_unref(t->plans[j].op_ends);
        g_array_unref(t->plans[j].time_ends);
    }
    g_free(t->plans);
    g_free(t->alone_ns);
    g_free(t->gpu_of_rank);
    strat_train_result_free(t->result);
}

/* Each job by itself, where it was not said; then how often the others fit into the longest. */
static bool run_alone(Together *t, bool fold, GError **error)
{
    SimTime longest = 0;
    for (size_t j = 0; j < t->count; j++) {
        const StratJob *job = &t->jobs[j];
        t->alone_ns[j] = job->alone_ns;
        if (job->alone_ns == 0) {
            g_autoptr(StratTrainResult) alone = strat_train_run(job->costing, fold, error);
            if (!alone) {
                g_prefix_error(error, "job '%s': ", job->name);
                return false;
            }
            t->alone_ns[j] = MAX(alone->step_ns, 1);
        }
        longest = MAX(longest, t->alone_ns[j]);
    }
    for (size_t j = 0; j < t->count; j++)
        t->plans[j].steps =
            (uint32_t)MIN((longest + t->alone_ns[j] - 1) / t->alone_ns[j], STEPS_MAX + 1);
    return true;
}

static bool check_steps(const Together *t, GError **error)
{
    for (size_t j = 0; j < t->count; j++) {
        if (t->plans[j].steps > STEPS_MAX)
            return fail(error,
                        "job '%s' has a step of %.3g s: beside the longest it would run more than "
                        "%d of them",
                        t->jobs[j].name, sim_time_to_seconds(t->alone_ns[j]), STEPS_MAX);
    }
    return true;
}

/* One program of all jobs, and its run. */
static bool run_once(Together *t, GError **error)
{
    const StratCosting *first = t->jobs[0].costing;
    g_clear_pointer(&t->result, strat_train_result_free);
    t->result = g_new0(StratTrainResult, 1);
    t->result->step = g_new0(StratStep, 1);
    StratStep *step = t->result->step;
    step->program = strat_program_new();
    step->transfers = strat_transfers_new(first->plan, t->plans[0].fold, true);
    int64_t rank = 0;
    for (size_t j = 0; j < t->count; j++) {
        Plan *plan = &t->plans[j];
        g_autofree char *prefix = g_strdup_printf("%s: ", t->jobs[j].name);
        StratSteps steps = {t->jobs[j].costing, plan->fold, prefix, rank, plan->steps, NULL};
        g_array_set_size(plan->op_ends, 0);
        plan->first_op = sim_program_op_count(step->program);
        if (!strat_compile_steps(&steps, step->program, step->transfers, plan->op_ends, error))
            return false;
        rank += plan->fold->ranks;
    }
    StratCosting all = *first;
    all.gpu_of_rank = t->gpu_of_rank;
    return sim_program_seal(step->program, error) && strat_train_simulate(&all, t->result, error);
}

/* When each step of @plan ended. */
static void read_ends(const Together *t, Plan *plan)
{
    uint32_t op = plan->first_op;
    SimTime end = 0;
    g_array_set_size(plan->time_ends, 0);
    for (guint i = 0; i < plan->op_ends->len; i++) {
        for (; op < g_array_index(plan->op_ends, uint32_t, i); op++)
            end = MAX(end, t->result->run->end[op]);
        g_array_append_val(plan->time_ends, end);
    }
}

static SimTime first_end(const Plan *plan)
{
    return g_array_index(plan->time_ends, SimTime, 0);
}

static SimTime last_end(const Plan *plan)
{
    return g_array_index(plan->time_ends, SimTime, plan->time_ends->len - 1);
}

/* Gives more steps to jobs that stopped before all had ended one; false when there are none. */
static bool lengthen(Together *t)
{
    SimTime needed = 0;
    bool stopped = false;
    for (size_t j = 0; j < t->count; j++) {
        read_ends(t, &t->plans[j]);
        needed = MAX(needed, first_end(&t->plans[j]));
    }
    for (size_t j = 0; j < t->count; j++) {
        Plan *plan = &t->plans[j];
        if (last_end(plan) >= needed)
            continue;
        double more = (double)needed / (double)last_end(plan) * (double)plan->steps;
        plan->steps = (uint32_t)fmin(ceil(more), STEPS_MAX + 1.0);
        stopped = true;
    }
    return stopped;
}

static void report(const Together *t, StratJobs *out)
{
    SimTime all_until = G_MAXINT64;
    for (size_t j = 0; j < t->count; j++)
        all_until = MIN(all_until, last_end(&t->plans[j]));
    for (size_t j = 0; j < t->count; j++) {
        const Plan *plan = &t->plans[j];
        uint32_t steps = 0;
        SimTime end = 0;
        for (guint i = 0; i < plan->time_ends->len; i++) {
            SimTime at = g_array_index(plan->time_ends, SimTime, i);
            if (at > all_until)
                break;
            end = at;
            steps++;
        }
        StratJobResult result = {.name = t->jobs[j].name,
                                 .gpus = plan->fold->ranks,
                                 .alone_ns = t->alone_ns[j],
                                 .together_ns = (double)end / steps,
                                 .steps = steps};
        g_array_append_val(out->jobs, result);
    }
    out->hot_links = g_steal_pointer(&t->result->hot_links);
}

static bool run_together(Together *t, bool fold, GError **error)
{
    if (!t->jobs[0].costing->net->shares_links)
        return fail(error, "jobs meet only on a network that shares its links, and %s does not",
                    t->jobs[0].costing->net->name);
    if (!run_alone(t, fold, error))
        return false;
    for (int run = 0; run < RUNS_MAX; run++) {
        if (!check_steps(t, error) || !run_once(t, error))
            return false;
        if (!lengthen(t))
            return true;
    }
    return fail(error, "the jobs slow each other down so much that none stays beside the others");
}

StratJobs *strat_jobs_run(const StratJob *jobs, size_t count, bool fold, GError **error)
{
    g_autoptr(StratJobs) out = g_new0(StratJobs, 1);
    out->jobs = g_array_new(FALSE, TRUE, sizeof(StratJobResult));
    Together t = {
        .jobs = jobs,
        .count = count,
        .plans = g_new0(Plan, count),
        .alone_ns = g_new0(SimTime, count),
    };
    open_jobs(&t, fold);
    bool ran = run_together(&t, fold, error);
    if (ran)
        report(&t, out);
    close_jobs(&t);
    return ran ? g_steal_pointer(&out) : NULL;
}

void strat_jobs_free(StratJobs *jobs)
{
    if (!jobs)
        return;
    g_array_unref(jobs->jobs);
    if (jobs->hot_links)
        g_array_unref(jobs->hot_links);
    g_free(jobs);
}
