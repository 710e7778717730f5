/* Zero-bubble schedules (Qi 2024, arXiv 2401.10241). A backward is cut in two: the gradient of the
 * input (B), which the stage before waits for, and that of the weights (W), which may be done at
 * any time after it; W fills what would be idle. A stage's own step is
 *
 *     m (F + B + W) + idle,    F, B, W: time of one microbatch, m of them
 *
 * and since no stage waits for the others before its next step (the optimizer's checks come
 * afterwards, section 4 there), the longest of them is the period of steps.
 *
 * An order is found by laying tasks out in time: of all stages' next forwards and backwards the one
 * that can start first is taken, a backward before a forward; W goes into gaps that are at least as
 * long, and where memory is short, before the forward that needs it; what is left comes at the end.
 * A stage holds
 *
 *     forwards without backward + w x (backwards without W) <= limit,
 *     w = bytes kept for W over bytes kept by a forward
 *
 * and starts at most `ahead` forwards before its first backward. Several rules of when a W may
 * delay a backward and how many forwards go ahead are tried, the shortest order is kept: the
 * automatic scheduling of section 3.1 there.
 *
 *     zb-h1  limit p, ahead p - i on stage i, all tasks taken as equally long
 *     zb-h2  limit 2p - 1, ahead 2 (p - i) - 1, likewise
 *     zb-1p  limit p, with the tasks' own times
 *     zb-2p  limit 2p, likewise
 *     zb-v   two chunks a stage, the second on the way back, limit 2p chunks (1F1B's memory)
 *
 * One place of zb-v's memory is kept for the second chunk, so that a microbatch that has begun can
 * always be finished. */
#include "strat_schedule_zero.h"

#include <math.h>
#include <string.h>

/* What may be chosen. */
typedef struct Rule {
    double eager; /* a W goes into a shorter gap where the stage's idle time would pass this times
                     the worst stage's; infinite: never */
    double slack; /* a forward goes first where the backward comes up to this later, in forwards */
    int64_t more; /* forwards ahead beyond those that fit before the first backward */
} Rule;

/* Memory and depth of a kind of schedule. */
typedef struct Limits {
    double held;
    bool is_v;
    bool is_deep; /* forwards go ahead as memory lets them; else one a stage that follows */
} Limits;

/* One model chunk's progress. */
typedef struct Chunk {
    double *forward, *input; /* when each microbatch's is over */
    int64_t forwards, inputs, weights;
} Chunk;

typedef struct Stage {
    double free, first, lost, held;
    int64_t ahead;
    bool has_begun;
    GArray *tasks;
    /* The next task, when it is known. */
    bool is_ready, is_input;
    int64_t index; /* of its chunk */
    double ready, key;
} Stage;

typedef struct Layout {
    const StratPipeline *pipeline;
    StratTaskTimes t;
    Limits limits;
    Rule rule;
    int64_t chunks; /* of all stages */
    Chunk *chunk;
    Stage *stage;
} Layout;

static int64_t stage_of(const Layout *l, int64_t index)
{
    int64_t p = l->pipeline->stages;
    return index < p ? index : 2 * p - 1 - index;
}

static double hop(const Layout *l, int64_t from, int64_t to)
{
    return stage_of(l, from) == stage_of(l, to) ? 0.0 : l->t.send;
}

/* When the next forward of chunk @index may start; infinite when that is not known. */
static double forward_ready(const Layout *l, int64_t index)
{
    const Chunk *chunk = &l->chunk[index];
    const Stage *stage = &l->stage[stage_of(l, index)];
    if (chunk->forwards == l->pipeline->microbatches)
        return INFINITY;
    if (!l->limits.is_v && chunk->forwards - chunk->inputs >= stage->ahead)
        return INFINITY;
    if (index == 0)
        return 0.0;
    return l->chunk[index - 1].forward[chunk->forwards] + hop(l, index - 1, index);
}

static double input_ready(const Layout *l, int64_t index)
{
    const Chunk *chunk = &l->chunk[index];
    if (chunk->inputs == chunk->forwards)
        return INFINITY;
    if (index == l->chunks - 1)
        return chunk->forward[chunk->inputs];
    return l->chunk[index + 1].input[chunk->inputs] + hop(l, index + 1, index);
}

/* Chunk of @stage whose W is due first: the later chunk's, whose backward came first. */
static Chunk *pending(const Layout *l, int64_t stage)
{
    Chunk *last = &l->chunk[l->chunks - 1 - stage], *own = &l->chunk[stage];
    if (l->limits.is_v && last->weights < last->inputs)
        return last;
    return own->weights < own->inputs ? own : NULL;
}

/* Forwards of the first chunk leave a place for the second. */
static double limit_of(const Layout *l, int64_t index)
{
    return l->limits.held - (l->limits.is_v && index < l->pipeline->stages ? 1.0 : 0.0) + 1e-9;
}

/* When a forward may start at the earliest, with what W have to go before it; infinite: never. */
static double after_weights(const Layout *l, int64_t s, int64_t index)
{
    const Stage *stage = &l->stage[s];
    double held = stage->held + 1.0, free = stage->free, limit = limit_of(l, index);
    int64_t second = l->limits.is_v ? l->chunks - 1 - s : s;
    int64_t due = l->chunk[s].inputs - l->chunk[s].weights;
    if (second != s)
        due += l->chunk[second].inputs - l->chunk[second].weights;
    for (; held > limit && due > 0; due--) {
        held -= l->t.weight_bytes;
        free += l->t.weight;
    }
    return held > limit ? INFINITY : free;
}

static void offer(Layout *l, int64_t s, int64_t index, bool is_input)
{
    Stage *stage = &l->stage[s];
    double ready = is_input ? input_ready(l, index) : forward_ready(l, index);
    if (isinf(ready))
        return;
    double free = is_input ? stage->free : after_weights(l, s, index);
    double key = fmax(free, ready) + (is_input ? 0.0 : l->rule.slack * l->t.forward);
    if (isinf(free) || (stage->is_ready && key >= stage->key))
        return;
    *stage = (Stage){.free = stage->free,
                     .first = stage->first,
                     .lost = stage->lost,
                     .held = stage->held,
                     .ahead = stage->ahead,
                     .has_begun = stage->has_begun,
                     .tasks = stage->tasks,
                     .is_ready = true,
                     .is_input = is_input,
                     .index = index,
                     .ready = ready,
                     .key = key};
}

/* The task that stage @s would do next. Backwards are offered first, of later chunks first. */
static void look(Layout *l, int64_t s)
{
    l->stage[s].is_ready = false;
    int64_t last = l->chunks - 1 - s;
    for (int input = 1; input >= 0; input--) {
        if (l->limits.is_v)
            offer(l, s, last, input);
        offer(l, s, s, input);
    }
}

static void push(Layout *l, int64_t index, StratTaskKind kind, int64_t microbatch)
{
    StratTask task = {kind, index < l->pipeline->stages ? 0 : 1, (int32_t)microbatch};
    g_array_append_val(l->stage[stage_of(l, index)].tasks, task);
}

static void do_weight(Layout *l, int64_t s)
{
    Chunk *chunk = pending(l, s);
    Stage *stage = &l->stage[s];
    push(l, chunk - l->chunk, STRAT_TASK_WEIGHT, chunk->weights++);
    stage->free += l->t.weight;
    stage->held -= l->t.weight_bytes;
}

/* W's into the gap before @stage's next task. */
static void fill(Layout *l, int64_t s, double worst)
{
    Stage *stage = &l->stage[s];
    while (pending(l, s)) {
        double gap = stage->ready - stage->free;
        bool fits = gap >= l->t.weight;
        if (!fits && !(gap > 0.0 && stage->lost + gap > l->rule.eager * worst))
            return;
        do_weight(l, s);
    }
}

static void run(Layout *l, int64_t s, double worst)
{
    Stage *stage = &l->stage[s];
    Chunk *chunk = &l->chunk[stage->index];
    while (!stage->is_input && stage->held + 1.0 > limit_of(l, stage->index))
        do_weight(l, s);
    if (stage->has_begun)
        fill(l, s, worst);
    double start = fmax(stage->free, stage->ready);
    if (!stage->has_begun)
        stage->first = start;
    else
        stage->lost += start - stage->free;
    stage->has_begun = true;
    stage->free = start + (stage->is_input ? l->t.input : l->t.forward);
    stage->held += stage->is_input ? l->t.weight_bytes - 1.0 : 1.0;
    if (stage->is_input) {
        push(l, stage->index, STRAT_TASK_INPUT, chunk->inputs);
        chunk->input[chunk->inputs++] = stage->free;
    } else {
        push(l, stage->index, STRAT_TASK_FORWARD, chunk->forwards);
        chunk->forward[chunk->forwards++] = stage->free;
    }
}

static int64_t earliest(const Layout *l)
{
    int64_t best = -1;
    for (int64_t s = 0; s < l->pipeline->stages; s++)
        if (l->stage[s].is_ready && (best < 0 || l->stage[s].key < l->stage[best].key))
            best = s;
    return best;
}

/* The longest of the stages' own steps. */
static double lay_out(Layout *l)
{
    int64_t p = l->pipeline->stages, left = 2 * l->chunks * l->pipeline->microbatches;
    double worst = 0.0, longest = 0.0;
    for (int64_t s = 0; s < p; s++)
        look(l, s);
    for (; left > 0; left--) {
        int64_t s = earliest(l);
        g_assert(s >= 0); /* a place is kept for whatever has begun */
        run(l, s, worst);
        worst = fmax(worst, l->stage[s].lost);
        for (int64_t near = MAX(s - 1, 0); near <= MIN(s + 1, p - 1); near++)
            look(l, near);
    }
    for (int64_t s = 0; s < p; s++) {
        while (pending(l, s))
            do_weight(l, s);
        longest = fmax(longest, l->stage[s].free - l->stage[s].first);
    }
    return longest;
}

/* Forwards that fit before the first backward comes back, and @rule.more. */
static int64_t ahead_of(const Layout *l, int64_t s)
{
    int64_t after = l->pipeline->stages - 1 - s;
    if (!l->limits.is_deep)
        return after + 1;
    double back = (double)after * (l->t.forward + l->t.input + 2.0 * l->t.send) + l->t.forward;
    int64_t fits = (int64_t)floor(back / l->t.forward + 1e-9) + l->rule.more;
    return CLAMP(fits, 1, (int64_t)l->limits.held);
}

/* Lays @pipeline out by @rule; where that beats *@best, its tasks replace @tasks. */
static void try_rule(const StratPipeline *pipeline, const StratTaskTimes *times,
                     const Limits *limits, const Rule *rule, double *best, GArray **tasks)
{
    int64_t p = pipeline->stages, m = pipeline->microbatches;
    Layout l = {.pipeline = pipeline, .t = *times, .limits = *limits, .rule = *rule};
    l.chunks = limits->is_v ? 2 * p : p;
    l.chunk = g_new0(Chunk, l.chunks);
    l.stage = g_new0(Stage, p);
    double *ends = g_new(double, 2 * l.chunks * m);
    for (int64_t i = 0; i < 2 * l.chunks * m; i++)
        ends[i] = INFINITY;
    for (int64_t i = 0; i < l.chunks; i++) {
        l.chunk[i].forward = ends + 2 * i * m;
        l.chunk[i].input = ends + (2 * i + 1) * m;
    }
    for (int64_t s = 0; s < p; s++) {
        l.stage[s].tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
        l.stage[s].ahead = ahead_of(&l, s);
    }
    double longest = lay_out(&l);
    bool is_best = longest < *best;
    for (int64_t s = 0; s < p; s++) {
        if (is_best) {
            g_array_set_size(tasks[s], 0);
            g_array_append_vals(tasks[s], l.stage[s].tasks->data, l.stage[s].tasks->len);
        }
        g_array_unref(l.stage[s].tasks);
    }
    *best = fmin(*best, longest);
    g_free(ends);
    g_free(l.chunk);
    g_free(l.stage);
}

/* Times of @pipeline; of one unit each where it has none, or @alike. */
static StratTaskTimes times_of(const StratPipeline *pipeline, bool alike)
{
    StratTaskTimes t = pipeline->times;
    if (alike || t.forward <= 0.0) {
        StratTaskTimes unit = {.forward = 1.0, .input = 1.0, .weight = 1.0};
        unit.weight_bytes = t.weight_bytes;
        return unit;
    }
    if (t.sends_block) {
        t.forward += t.send;
        t.input += t.send;
        t.send = 0.0;
    }
    return t;
}

static void plan(const StratPipeline *pipeline, const Limits *limits, bool alike, GArray **tasks)
{
    static const Rule rules[] = {
        {.eager = INFINITY, .slack = 0.0,  .more = 0},
        {.eager = 1.0,      .slack = 0.0,  .more = 0},
        {.eager = 1.0,      .slack = 0.0,  .more = 1},
        {.eager = 0.5,      .slack = -0.5, .more = 1},
        {.eager = INFINITY, .slack = -1.0, .more = 1},
    };
    StratTaskTimes times = times_of(pipeline, alike);
    double best = INFINITY;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        try_rule(pipeline, &times, limits, &rules[i], &best, tasks);
}

void strat_schedule_plan_zb_h1(const StratPipeline *pipeline, GArray **tasks)
{
    Limits limits = {.held = (double)pipeline->stages};
    plan(pipeline, &limits, true, tasks);
}

void strat_schedule_plan_zb_h2(const StratPipeline *pipeline, GArray **tasks)
{
    Limits limits = {.held = (double)(2 * pipeline->stages - 1), .is_deep = true};
    plan(pipeline, &limits, true, tasks);
}

void strat_schedule_plan_zb_1p(const StratPipeline *pipeline, GArray **tasks)
{
    Limits limits = {.held = (double)pipeline->stages};
    plan(pipeline, &limits, false, tasks);
}

void strat_schedule_plan_zb_2p(const StratPipeline *pipeline, GArray **tasks)
{
    Limits limits = {.held = (double)(2 * pipeline->stages), .is_deep = true};
    plan(pipeline, &limits, false, tasks);
}

void strat_schedule_plan_zb_v(const StratPipeline *pipeline, GArray **tasks)
{
    Limits limits = {.held = (double)(2 * pipeline->stages), .is_v = true};
    plan(pipeline, &limits, false, tasks);
}
