/* Every combination of the lists of a `search:`, one row of a table for each key.
 *
 * A key that is not written takes all its values: tensor, what divides the heads within a scale-up
 * domain; pipeline, what divides the GPUs; virtual_stages, what divides the layers; micro_batch,
 * what divides the batch; data, what the GPUs leave. Context and its kind are the plan's own, and zero-bubble
 * schedules, which need software of their own, must be asked for. Overlaps, kernels and types are
 * those of the scenario's plan.
 *
 * A combination is held to the rules that the scenario itself was held to (scen_check.c), to the
 * constraints of `search:`, and to memory by the screen. What differs from another combination in
 * words only is refused as well. Refusals are counted by rule, with the first as the example. */
#include "scen_plan_space.h"

#include "scen_check.h"
#include "scen_errors.h"
#include "scen_fields.h"
#include "scen_simulate.h"
#include "strat_search.h"

#define I64 "%" G_GINT64_FORMAT

enum { LOOK_UP = 1024 /* combinations between two questions whether to stop */ };

static const char MEMORY_RULE[] = "does not fit in memory";

typedef struct Axis {
    const char *key;
    size_t list; /* where ScenSearch has it */
    void (*set)(StratPlan *plan, int64_t value);
    void (*fill)(const ScenScenario *scenario, GArray *values); /* all values */
    bool (*read)(const char *name, int64_t *value);             /* NULL: a list of numbers */
} Axis;

static void add(GArray *values, int64_t value)
{
    g_array_append_val(values, value);
}

/* All divisors of @of up to @most. */
static void add_divisors(GArray *values, int64_t of, int64_t most)
{
    for (int64_t i = 1; i <= MIN(of, most); i++)
        if (of % i == 0)
            add(values, i);
}

static void set_tensor(StratPlan *plan, int64_t value)
{
    plan->tensor = value;
}

static void fill_tensor(const ScenScenario *scenario, GArray *values)
{
    add_divisors(values, scenario->model.heads, scenario->cluster.node.scale_up_gpus);
}

static void set_context(StratPlan *plan, int64_t value)
{
    plan->context = value;
}

static void fill_context(const ScenScenario *scenario, GArray *values)
{
    add(values, scenario->plan.context);
}

static void set_pipeline(StratPlan *plan, int64_t value)
{
    plan->pipeline = value;
}

static void fill_pipeline(const ScenScenario *scenario, GArray *values)
{
    add_divisors(values, scenario->cluster.gpu_count, scenario->model.layers);
}

static void set_chunks(StratPlan *plan, int64_t value)
{
    plan->virtual_stages = value;
}

static void fill_chunks(const ScenScenario *scenario, GArray *values)
{
    const StratPlan *plan = &scenario->plan;
    int64_t places = scenario->model.layers + plan->count_embedding + plan->count_head;
    add_divisors(values, places, places);
}

static void set_data(StratPlan *plan, int64_t value)
{
    plan->data = value;
}

static void fill_data(const ScenScenario *scenario, GArray *values)
{
    (void)scenario;
    add(values, 0); /* what is left */
}

static void set_micro_batch(StratPlan *plan, int64_t value)
{
    plan->micro_batch = value;
}

static void fill_micro_batch(const ScenScenario *scenario, GArray *values)
{
    add_divisors(values, scenario->plan.global_batch, scenario->plan.global_batch);
}

static void set_zero(StratPlan *plan, int64_t value)
{
    plan->zero_stage = value;
}

static void fill_zero(const ScenScenario *scenario, GArray *values)
{
    (void)scenario;
    add(values, 0);
    add(values, 1);
}

static void set_recompute(StratPlan *plan, int64_t value)
{
    plan->recompute = (StratRecompute)value;
}

static void fill_recompute(const ScenScenario *scenario, GArray *values)
{
    (void)scenario;
    for (int64_t i = STRAT_RECOMPUTE_NONE; i <= STRAT_RECOMPUTE_FULL; i++)
        add(values, i);
}

static bool read_recompute(const char *name, int64_t *value)
{
    const ScenName *known = scen_table_field(&scen_plan_table, "recompute")->names;
    for (; known->text; known++)
        if (g_str_equal(known->text, name)) {
            *value = known->value;
            return true;
        }
    return false;
}

static void set_sequence(StratPlan *plan, int64_t value)
{
    plan->sequence_parallel = value != 0;
}

static bool read_sequence(const char *name, int64_t *value)
{
    *value = g_str_equal(name, "true");
    return *value || g_str_equal(name, "false");
}

static void set_context_kind(StratPlan *plan, int64_t value)
{
    plan->context_parallel.kind = (StratContextKind)value;
}

static void fill_context_kind(const ScenScenario *scenario, GArray *values)
{
    add(values, (int64_t)scenario->plan.context_parallel.kind);
}

/* Hybrid has a size of its own, which is no axis. */
static bool read_context_kind(const char *name, int64_t *value)
{
    size_t count;
    const StratContextRow *rows = strat_context_all(&count);
    for (size_t i = 0; i < count; i++)
        if (g_str_equal(rows[i].name, name) && i != STRAT_CONTEXT_HYBRID) {
            *value = (int64_t)i;
            return true;
        }
    return false;
}

static void set_schedule(StratPlan *plan, int64_t value)
{
    size_t count;
    plan->schedule = strat_schedule_all(&count)[value].name;
}

static bool read_schedule(const char *name, int64_t *value)
{
    size_t count;
    const StratSchedule *schedule = strat_schedule_by_name(name, NULL);
    if (schedule)
        *value = schedule - strat_schedule_all(&count);
    return schedule != NULL;
}

static void fill_schedule(const ScenScenario *scenario, GArray *values)
{
    static const char *const names[] = {"none", "1f1b", "interleaved-1f1b"};
    int64_t value;
    (void)scenario;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (read_schedule(names[i], &value))
            add(values, value);
}

#define AXIS(key_, set_, fill_, ...)                                                               \
    {                                                                                              \
        .key = #key_, .list = offsetof(ScenSearch, key_), .set = set_, .fill = fill_, __VA_ARGS__  \
    }

/* A key more is a row more; where it changes the price of a block, a word of the key in
 * strat_screen_prices.c as well. */
static const Axis axes[] = {
    AXIS(tensor, set_tensor, fill_tensor),
    AXIS(context, set_context, fill_context),
    AXIS(context_kind, set_context_kind, fill_context_kind, .read = read_context_kind),
    AXIS(pipeline, set_pipeline, fill_pipeline),
    AXIS(virtual_stages, set_chunks, fill_chunks),
    AXIS(data, set_data, fill_data),
    AXIS(micro_batch, set_micro_batch, fill_micro_batch),
    AXIS(zero_stage, set_zero, fill_zero),
    AXIS(recompute, set_recompute, fill_recompute, .read = read_recompute),
    AXIS(sequence_parallel, set_sequence, fill_zero, .read = read_sequence),
    AXIS(schedule, set_schedule, fill_schedule, .read = read_schedule),
};

enum { AXES = G_N_ELEMENTS(axes) };

/* The values of @axis, listed or all. */
static GArray *values_of(const ScenScenario *scenario, const Axis *axis, GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(int64_t));
    const char *search = (const char *)&scenario->search;
    const GArray *list = *(GArray *const *)(const void *)(search + axis->list);
    if (!list)
        axis->fill(scenario, values);
    for (guint i = 0; list && i < list->len; i++) {
        int64_t value;
        if (!axis->read) {
            value = (int64_t)g_array_index(list, double, i);
        } else if (!axis->read(g_array_index(list, const char *, i), &value)) {
            g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "search.%s: unknown value '%s'",
                        axis->key, g_array_index(list, const char *, i));
            return NULL;
        }
        add(values, value);
    }
    return g_steal_pointer(&values);
}

double scen_plan_room_bytes(const ScenScenario *scenario)
{
    return scenario->cluster.node.gpu.memory_bytes * (1.0 - scenario->search.headroom);
}

ScenScenario scen_plan_scenario(const ScenScenario *scenario, const ScenPlanTrial *trial)
{
    ScenScenario as = *scenario;
    TopoCluster *cluster = &as.cluster;
    as.plan = trial->plan;
    if (trial->gpus != cluster->gpu_count)
        cluster->node_count = (trial->gpus + cluster->node.gpus - 1) / cluster->node.gpus;
    cluster->gpu_count = trial->gpus;
    return as;
}

/* Takes the message of @refusal. */
static void count_refusal(ScenPlanSpace *space, ScenRefusal refusal)
{
    for (guint i = 0; i < space->refused->len; i++) {
        ScenRefusedPlans *known = &g_array_index(space->refused, ScenRefusedPlans, i);
        if (known->rule == refusal.rule && g_str_equal(known->path, refusal.path)) {
            known->count++;
            g_free(refusal.message);
            return;
        }
    }
    ScenRefusedPlans first = {refusal.path, refusal.rule, 1, refusal.message};
    g_array_append_val(space->refused, first);
}

/* The kind that plans of one context rank are counted under. */
static int64_t first_kind(const ScenScenario *scenario)
{
    const GArray *list = scenario->search.context_kind;
    int64_t kind = (int64_t)scenario->plan.context_parallel.kind;
    if (list && list->len > 0)
        read_context_kind(g_array_index(list, const char *, 0), &kind);
    return kind;
}

/* The constraints of `search:`, and plans that are another one in other words; NULL: it passes. */
static const char *constraint(const ScenScenario *scenario, const ScenPlanTrial *trial,
                              const char **path)
{
    const StratPlan *plan = &trial->plan;
    int64_t most =
        scenario->search.max_gpus > 0 ? scenario->search.max_gpus : scenario->cluster.gpu_count;
    *path = "search.max_gpus";
    if (trial->gpus > MIN(most, scenario->cluster.gpu_count))
        return "more GPUs than there may be";
    *path = "plan.sequence_parallel";
    if (plan->sequence_parallel && plan->tensor == 1)
        return "sequence_parallel has nothing to split at tensor 1: the same plan without it "
               "counts";
    *path = "plan.context_parallel";
    if (plan->context == 1 && (int64_t)plan->context_parallel.kind != first_kind(scenario))
        return "one context rank has no keys to fetch: the same plan of the first kind counts";
    *path = "plan.zero_stage";
    if (plan->zero_stage > 0 && plan->data * plan->context == 1)
        return "zero_stage has nothing to shard over one replica: the same plan without it counts";
    *path = "plan.schedule";
    if (plan->pipeline == 1 && !g_str_equal(plan->schedule, "none"))
        return "one stage has nothing to schedule: the same plan with schedule none counts";
    return NULL;
}

/* Whether @trial passes all that costs no simulation; else counts why not. */
static bool passes(ScenPlanSpace *space, const ScenScenario *scenario, StratScreen *screen,
                   ScenPlanTrial *trial)
{
    ScenRefusal refusal = {0};
    ScenScenario as = scen_plan_scenario(scenario, trial);
    refusal.rule = constraint(scenario, trial, &refusal.path);
    if (refusal.rule) {
        refusal.message = g_strdup(refusal.rule);
    } else if (!scen_check_plan_refused(&as, &refusal)) {
        trial->least = strat_screen_plan(screen, &trial->plan);
        if (trial->least.memory_bytes <= scen_plan_room_bytes(scenario))
            return true;
        refusal = (ScenRefusal){"search.headroom", MEMORY_RULE,
                                g_strdup_printf("does not fit in memory: %.1f GB of %.1f GB",
                                                trial->least.memory_bytes / 1e9,
                                                scen_plan_room_bytes(scenario) / 1e9)};
    }
    count_refusal(space, refusal);
    return false;
}

static ScenPlanTrial trial_at(const ScenScenario *scenario, GArray *const *values,
                              const size_t *digit)
{
    ScenPlanTrial trial = {.plan = scenario->plan, .gpus = scenario->cluster.gpu_count};
    StratPlan *plan = &trial.plan;
    for (size_t i = 0; i < AXES; i++)
        axes[i].set(plan, g_array_index(values[i], int64_t, digit[i]));
    int64_t gang = plan->tensor * plan->context * plan->pipeline;
    if (plan->data > 0)
        trial.gpus = gang * plan->data;
    else if (trial.gpus % gang == 0)
        plan->data = trial.gpus / gang;
    return trial;
}

static gint compare_counts(gconstpointer a, gconstpointer b)
{
    const ScenRefusedPlans *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return g_strcmp0(x->example, y->example);
}

static void refused_clear(ScenRefusedPlans *refused)
{
    g_free(refused->example);
}

static void enumerate(ScenPlanSpace *space, const ScenScenario *scenario, GArray *const *values,
                      bool (*stops)(void *ctx), void *ctx)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, NULL))
        return; /* the caller has a costing, so the network is known */
    g_autoptr(StratScreen) screen = strat_screen_new(&costing);
    size_t digit[AXES] = {0}, size[AXES];
    for (size_t i = 0; i < AXES; i++)
        size[i] = values[i]->len;
    do {
        if (space->combinations++ % LOOK_UP == 0 && stops && stops(ctx))
            return;
        ScenPlanTrial trial = trial_at(scenario, values, digit);
        if (passes(space, scenario, screen, &trial))
            g_array_append_val(space->trials, trial);
    } while (strat_search_next(digit, size, AXES));
}

ScenPlanSpace *scen_plan_space_new(const ScenScenario *scenario, bool (*stops)(void *ctx),
                                   void *ctx, GError **error)
{
    g_autoptr(ScenPlanSpace) space = g_new0(ScenPlanSpace, 1);
    GArray *values[AXES] = {NULL};
    bool ready = true;
    space->trials = g_array_new(FALSE, FALSE, sizeof(ScenPlanTrial));
    space->refused = g_array_new(FALSE, FALSE, sizeof(ScenRefusedPlans));
    g_array_set_clear_func(space->refused, (GDestroyNotify)refused_clear);
    for (size_t i = 0; i < AXES && ready; i++) {
        values[i] = values_of(scenario, &axes[i], error);
        ready = values[i] != NULL;
    }
    if (ready)
        enumerate(space, scenario, values, stops, ctx);
    for (size_t i = 0; i < AXES; i++)
        g_clear_pointer(&values[i], g_array_unref);
    if (!ready)
        return NULL;
    g_array_sort(space->refused, compare_counts);
    return g_steal_pointer(&space);
}

void scen_plan_space_free(ScenPlanSpace *space)
{
    if (!space)
        return;
    g_array_unref(space->trials);
    g_array_unref(space->refused);
    g_free(space);
}
