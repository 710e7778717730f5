/* Pipeline schedules as tables of tasks.
 *
 *   none         one stage: forward, backward, microbatch after microbatch
 *   gpipe        all forwards, then all backwards (Huang 2019, section 2.3)
 *   1f1b         p - 1 - i warm-up forwards on stage i, then one forward and one backward in turn,
 *                then the backwards left (Narayanan 2021 SC, section 2.2.1; PipeDream-Flush)
 *   interleaved  each stage holds v chunks of the model, microbatches pass in rounds of p; warm-up
 *                2 (p - 1 - i) + (v - 1) p (Narayanan 2021 SC, section 2.2.2)
 *
 * With m microbatches, equal stages and free sends the idle share of the step is
 * (p-1)/(m+p-1), and (p-1)/(v m + p-1) interleaved. Schedules that cut the backward in two are in
 * strat_schedule_zero.c, those from both ends in strat_schedule_dual.c. */
#include "strat_schedule.h"

#include "sim_row.h"
#include "strat_schedule_dual.h"
#include "strat_schedule_zero.h"

#define I64 "%" G_GINT64_FORMAT

enum {
    FORWARDS = 1 << STRAT_TASK_FORWARD,
    WHOLE = FORWARDS | 1 << STRAT_TASK_BACKWARD,
    CUT = FORWARDS | 1 << STRAT_TASK_INPUT | 1 << STRAT_TASK_WEIGHT,
    ALL = WHOLE | CUT | 1 << STRAT_TASK_PAIRED_FORWARD | 1 << STRAT_TASK_PAIRED_BACKWARD,
};

GQuark strat_error_quark(void)
{
    return g_quark_from_static_string("strat_error");
}

static void push(GArray *tasks, bool backward, int64_t chunk, int64_t microbatch)
{
    StratTask task = {backward ? STRAT_TASK_BACKWARD : STRAT_TASK_FORWARD, (int32_t)chunk,
                      (int32_t)microbatch};
    g_array_append_val(tasks, task);
}

static void order_none(const StratPipeline *p, int64_t stage, GArray *tasks)
{
    (void)stage;
    for (int64_t m = 0; m < p->microbatches; m++) {
        push(tasks, false, 0, m);
        push(tasks, true, 0, m);
    }
}

static void order_gpipe(const StratPipeline *p, int64_t stage, GArray *tasks)
{
    (void)stage;
    for (int64_t m = 0; m < p->microbatches; m++)
        push(tasks, false, 0, m);
    for (int64_t m = 0; m < p->microbatches; m++)
        push(tasks, true, 0, m);
}

/* The i-th forward (or backward) of a stage: rounds of @stages microbatches through each chunk. */
static void push_nth(const StratPipeline *p, GArray *tasks, bool backward, int64_t i)
{
    int64_t round = p->stages * p->chunks;
    int64_t chunk = i % round / p->stages;
    int64_t microbatch = i / round * p->stages + i % p->stages;
    if (p->chunks == 1)
        microbatch = i;
    push(tasks, backward, backward ? p->chunks - 1 - chunk : chunk, microbatch);
}

static void warm_up_then_alternate(const StratPipeline *p, int64_t warm_up, GArray *tasks)
{
    int64_t total = p->microbatches * p->chunks;
    warm_up = MIN(warm_up, total);
    for (int64_t i = 0; i < warm_up; i++)
        push_nth(p, tasks, false, i);
    for (int64_t i = warm_up; i < total; i++) {
        push_nth(p, tasks, false, i);
        push_nth(p, tasks, true, i - warm_up);
    }
    for (int64_t i = total - warm_up; i < total; i++)
        push_nth(p, tasks, true, i);
}

static void order_1f1b(const StratPipeline *p, int64_t stage, GArray *tasks)
{
    warm_up_then_alternate(p, p->stages - 1 - stage, tasks);
}

static void order_interleaved(const StratPipeline *p, int64_t stage, GArray *tasks)
{
    int64_t warm_up = 2 * (p->stages - 1 - stage) + (p->chunks - 1) * p->stages;
    if (p->microbatches == p->stages)
        warm_up = p->microbatches * p->chunks;
    warm_up_then_alternate(p, warm_up, tasks);
}

static double bubble_none(const StratPipeline *p)
{
    (void)p;
    return 0.0;
}

static double bubble_flush(const StratPipeline *p)
{
    double idle = (double)(p->stages - 1);
    return idle / ((double)(p->microbatches * p->chunks) + idle);
}

/* Idle (p - 1) (F + B - W) beside m (F + B + W), all of one unit (Qi 2024, section 2.3). */
static double bubble_h1(const StratPipeline *p)
{
    double idle = (double)(p->stages - 1);
    return idle / (3.0 * (double)p->microbatches + idle);
}

/* Rows of unequal fields, which version 14 cannot align. */
/* clang-format off */
static const StratSchedule schedules[] = {
    {.name = "none",
     .source = "one stage, gradient accumulation",
     .kinds = WHOLE,
     .order = order_none,
     .bubble_fraction = bubble_none},
    {.name = "gpipe",
     .source = "Huang 2019 (arXiv 1811.06965)",
     .kinds = WHOLE,
     .needs_pipeline = true,
     .order = order_gpipe,
     .bubble_fraction = bubble_flush},
    {.name = "1f1b",
     .source = "Narayanan 2021 (arXiv 2104.04473) section 2.2.1",
     .kinds = WHOLE,
     .needs_pipeline = true,
     .order = order_1f1b,
     .bubble_fraction = bubble_flush},
    {.name = "interleaved-1f1b",
     .source = "Narayanan 2021 (arXiv 2104.04473) section 2.2.2",
     .kinds = WHOLE,
     .needs_pipeline = true,
     .interleaves = true,
     .rounds = true,
     .order = order_interleaved,
     .bubble_fraction = bubble_flush},
    {.name = "zb-h1",
     .source = "Qi 2024 (arXiv 2401.10241) section 2.1: backward in two, memory of 1F1B, by hand",
     .kinds = CUT,
     .needs_pipeline = true,
     .rolls = true,
     .plan = strat_schedule_plan_zb_h1,
     .bubble_fraction = bubble_h1},
    {.name = "zb-h2",
     .source = "Qi 2024 (arXiv 2401.10241) section 2.2: twice the memory, by hand",
     .kinds = CUT,
     .needs_pipeline = true,
     .rolls = true,
     .plan = strat_schedule_plan_zb_h2,
     .bubble_fraction = bubble_none},
    {.name = "zb-1p",
     .source = "Qi 2024 (arXiv 2401.10241) section 3.1: found for the tasks' times, memory of 1F1B",
     .kinds = CUT,
     .needs_pipeline = true,
     .rolls = true,
     .plan = strat_schedule_plan_zb_1p,
     .bubble_fraction = bubble_h1},
    {.name = "zb-2p",
     .source = "Qi 2024 (arXiv 2401.10241) section 3.1: likewise, twice the memory",
     .kinds = CUT,
     .needs_pipeline = true,
     .rolls = true,
     .plan = strat_schedule_plan_zb_2p,
     .bubble_fraction = bubble_none},
    {.name = "zb-v",
     .source = "Qi 2024 (arXiv 2401.10241) appendix and arXiv 2405.15362: two chunks a stage, there and back",
     .kinds = CUT,
     .needs_pipeline = true,
     .is_v = true,
     .rolls = true,
     .plan = strat_schedule_plan_zb_v,
     .bubble_fraction = bubble_none},
    {.name = "dualpipe",
     .source = "DeepSeek-V3 (arXiv 2412.19437) section 3.2.1: from both ends, each stage holds two chunks",
     .kinds = ALL,
     .needs_pipeline = true,
     .is_dual = true,
     .fills = true,
     .order = strat_schedule_order_dual,
     .bubble_fraction = strat_schedule_bubble_dual},
    {.name = "dualpipe-v",
     .source = "deepseek-ai/DualPipe (GitHub, 2025): DualPipe cut in half, there and back on half the stages",
     .kinds = ALL,
     .needs_pipeline = true,
     .is_v = true,
     .fills = true,
     .order = strat_schedule_order_dual_v,
     .bubble_fraction = strat_schedule_bubble_dual_v},
};
/* clang-format on */

const StratSchedule *strat_schedule_all(size_t *count)
{
    *count = G_N_ELEMENTS(schedules);
    return schedules;
}

const StratSchedule *strat_schedule_by_name(const char *name, GError **error)
{
    return sim_row_by_name(schedules, G_N_ELEMENTS(schedules), sizeof schedules[0], name,
                           "pipeline schedule", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

GPtrArray *strat_schedule_orders(const StratSchedule *schedule, const StratPipeline *pipeline)
{
    GPtrArray *orders = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (int64_t stage = 0; stage < pipeline->stages; stage++) {
        GArray *tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
        g_ptr_array_add(orders, tasks);
        if (schedule->order)
            schedule->order(pipeline, stage, tasks);
    }
    if (schedule->plan)
        schedule->plan(pipeline, (GArray **)(void *)orders->pdata);
    return orders;
}

bool strat_task_is_forward(StratTaskKind kind)
{
    return kind == STRAT_TASK_FORWARD || kind == STRAT_TASK_PAIRED_FORWARD;
}

int64_t strat_schedule_length(const StratSchedule *schedule, int64_t stages, int64_t chunks)
{
    return schedule->is_dual ? stages : stages * chunks;
}

int64_t strat_schedule_index(const StratSchedule *schedule, int64_t stages, StratSpot at)
{
    int64_t end = MIN(at.stage, stages - 1 - at.stage); /* the nearer one */
    if (schedule->is_dual)
        return at.chunk == 0 ? end : stages - 1 - end;
    bool back = schedule->is_v && at.chunk % 2 == 1;
    return at.chunk * stages + (back ? stages - 1 - at.stage : at.stage);
}

bool strat_schedule_turns(const StratSchedule *schedule, int64_t stages, StratSpot at)
{
    if (schedule->is_dual)
        return (at.stage < stages / 2) != (at.chunk == 0);
    return schedule->is_v && at.chunk % 2 == 1;
}

bool strat_schedule_near(const StratSchedule *schedule, const StratPipeline *pipeline, StratSpot at,
                         int step, StratSpot *near)
{
    int64_t p = pipeline->stages, index = strat_schedule_index(schedule, p, at) + step;
    bool turns = strat_schedule_turns(schedule, p, at);
    if (index < 0 || index >= strat_schedule_length(schedule, p, pipeline->chunks))
        return false;
    if (schedule->is_dual) {
        near->stage = at.stage + (turns ? -step : step);
        near->chunk = (near->stage < p / 2) == turns;
        return true;
    }
    near->chunk = index / p;
    bool back = schedule->is_v && near->chunk % 2 == 1;
    near->stage = back ? p - 1 - index % p : index % p;
    return true;
}

static bool refuse(char **reason, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(char **reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (reason)
        *reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

bool strat_schedule_fits(const StratSchedule *schedule, int64_t stages, int64_t chunks,
                         int64_t microbatches, char **reason)
{
    int64_t ways = schedule->is_dual ? 2 : 1;
    int64_t length = strat_schedule_length(schedule, stages, chunks);
    if (schedule->is_dual && stages % 2 != 0)
        return refuse(reason,
                      "schedule %s needs an even pipeline, not " I64
                      ": stage i holds the chunks of stages i and P - 1 - i",
                      schedule->name, stages);
    if (microbatches % ways != 0)
        return refuse(reason,
                      "schedule %s needs an even number of microbatches, not " I64
                      ": half of them enter at each end",
                      schedule->name, microbatches);
    if (schedule->rounds && chunks > 1 && microbatches % stages != 0)
        return refuse(reason,
                      "virtual stages need microbatches in multiples of pipeline " I64 ", not " I64,
                      stages, microbatches);
    if (schedule->fills && microbatches < ways * length)
        return refuse(reason,
                      "schedule %s needs " I64 " microbatches or more, not " I64
                      ": it fills the pipeline before forwards and backwards go in pairs",
                      schedule->name, ways * length, microbatches);
    return true;
}
