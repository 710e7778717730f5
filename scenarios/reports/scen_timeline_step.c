/* The timeline of a training step.
 *
 * A rank class is one process, named after its stage, how many GPUs it stands for and which ranks
 * those are; folded GPUs behave alike, so theirs would be the same picture. Tasks carry their
 * microbatch and chunk. Two counters are added to what sim_trace.c draws:
 *
 *   memory   of the first rank of each stage: states, reserved, activations and workspace, so its
 *            maximum is the reported peak of the stage;
 *   links    the busiest links, in percent of what they could have carried, the mean over an
 *            interval of the length that otherData tells. They need books kept while the step runs,
 *            which is why it runs once more here.
 *
 * Left out: what shares a step with it (other jobs), and what is added after it (servers, islands).
 */
#include "scen_timeline.h"

#include "scen_simulate.h"
#include "sim_trace.h"
#include "strat_layout.h"

#define I64 "%" G_GINT64_FORMAT

enum {
    SEGMENTS_MOST = 100000, /* some 10 MB */
    RANGES_SHOWN = 3,
    LINKS_SHOWN = 12,
    LINKS_OF_A_KIND = 2,
};

/* What sim_trace.c is to draw, and who owns it. */
typedef struct Names {
    GPtrArray *class_names;
    uint32_t *order;
    const char **op_names;
    GPtrArray *tasks; /* what op_names points to */
} Names;

static void names_clear(Names *names)
{
    g_ptr_array_unref(names->class_names);
    g_ptr_array_unref(names->tasks);
    g_free(names->order);
    g_free(names->op_names);
}

/* Ranks @first to @last of a class whose text so far is @out: "ranks 0-7, 16-23, ...". */
static void add_range(GString *out, uint32_t shown, int64_t first, int64_t last)
{
    if (shown > RANGES_SHOWN)
        return;
    g_string_append(out, shown == 0 ? (first == last ? "rank " : "ranks ") : ", ");
    if (shown == RANGES_SHOWN)
        g_string_append(out, "...");
    else if (first == last)
        g_string_append_printf(out, I64, first);
    else
        g_string_append_printf(out, I64 "-" I64, first, last);
}

/* "stage 3, 8 GPUs: ranks 24-31" */
static GPtrArray *class_names(const StratFold *fold, const StratPlan *plan)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree uint32_t *shown = g_new0(uint32_t, fold->classes);
    g_autofree GString **ranks = g_new0(GString *, fold->classes);
    for (int64_t i = 0; i < fold->classes; i++)
        ranks[i] = g_string_new(NULL);
    for (int64_t first = 0, last; first < fold->ranks; first = last + 1) {
        uint32_t class = fold->class_of[first];
        for (last = first; last + 1 < fold->ranks && fold->class_of[last + 1] == class;)
            last++;
        add_range(ranks[class], shown[class]++, first, last);
    }
    for (int64_t i = 0; i < fold->classes; i++) {
        g_ptr_array_add(names, g_strdup_printf("stage " I64 ", " I64 " %s: %s",
                                               strat_rank_at(plan, fold->representative[i]).stage,
                                               fold->multiplicity[i],
                                               fold->multiplicity[i] == 1 ? "GPU" : "GPUs",
                                               ranks[i]->str));
        g_string_free(ranks[i], TRUE);
    }
    return names;
}

/* A class and where it stands. */
typedef struct Place {
    int64_t stage, rank;
    uint32_t class;
} Place;

static gint by_place(gconstpointer left, gconstpointer right)
{
    const Place *a = left, *b = right;
    if (a->stage != b->stage)
        return a->stage < b->stage ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Where each class stands: by stage, then by its first rank. */
static uint32_t *class_order(const StratFold *fold, const StratPlan *plan)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));
    uint32_t *order = g_new(uint32_t, fold->classes);
    for (int64_t i = 0; i < fold->classes; i++) {
        Place place = {strat_rank_at(plan, fold->representative[i]).stage, fold->representative[i],
                       (uint32_t)i};
        g_array_append_val(places, place);
    }
    g_array_sort(places, by_place);
    for (guint i = 0; i < places->len; i++)
        order[g_array_index(places, Place, i).class] = i;
    return order;
}

static const char *task_name(StratTaskKind kind)
{
    static const char *const names[STRAT_TASK_KINDS] = {
        [STRAT_TASK_FORWARD] = "forward",
        [STRAT_TASK_BACKWARD] = "backward",
        [STRAT_TASK_INPUT] = "backward of input",
        [STRAT_TASK_WEIGHT] = "backward of weights",
        [STRAT_TASK_PAIRED_FORWARD] = "forward beside a backward",
        [STRAT_TASK_PAIRED_BACKWARD] = "backward beside a forward",
    };
    return names[kind];
}

/* Names the main stream's blocks of the first rank of each stage after their tasks. */
static void name_tasks(const StratStep *step, int64_t chunks, Names *names)
{
    for (guint i = 0; step->tasks && i < step->tasks->len; i++) {
        const StratTaskOps *ops = &g_array_index(step->tasks, StratTaskOps, i);
        uint32_t class = sim_program_op(step->program, ops->first)->rank_class;
        GString *name = g_string_new(task_name(ops->task.kind));
        g_string_append_printf(name, " %d", (int)ops->task.microbatch);
        if (chunks > 1)
            g_string_append_printf(name, " chunk %d", (int)ops->task.chunk);
        g_ptr_array_add(names->tasks, g_string_free(name, FALSE));
        for (uint32_t op = ops->first; op <= ops->last; op++) {
            const SimOp *o = sim_program_op(step->program, op);
            if (o->rank_class == class && o->stream == SIM_STREAM_MAIN &&
                !sim_op_kind_is_transfer(o->kind))
                names->op_names[op] = g_ptr_array_index(names->tasks, names->tasks->len - 1);
        }
    }
}

static Names names_of(const ScenScenario *scenario, const StratStep *step)
{
    Names names = {
        .class_names = class_names(step->fold, &scenario->plan),
        .order = class_order(step->fold, &scenario->plan),
        .op_names = g_new0(const char *, MAX(sim_program_op_count(step->program), 1)),
        .tasks = g_ptr_array_new_with_free_func(g_free),
    };
    name_tasks(step, scenario->plan.virtual_stages, &names);
    return names;
}

/* The class of the first rank of @stage. */
static uint32_t class_of_stage(const StratStep *step, const StratPlan *plan, int64_t stage)
{
    return step->fold->class_of[strat_rank_index(plan, (StratRank){.stage = stage})];
}

static void add_memory(SimEvents *events, const StratCosting *costing,
                       const StratTrainResult *result)
{
    for (guint stage = 0; stage < result->memory->len; stage++) {
        const StratMemory *m = &g_array_index(result->memory, StratMemory, stage);
        uint32_t class = class_of_stage(result->step, costing->plan, stage);
        double always =
            m->weights_bytes + m->gradients_bytes + m->optimizer_bytes + m->reserved_bytes;
        g_autoptr(GArray) moments =
            strat_memory_moments(costing, result->step, result->run, stage, m->workspace_bytes);
        for (guint i = 0; i < moments->len; i++) {
            const StratMoment *now = &g_array_index(moments, StratMoment, i);
            double bytes = always + now->activations_bytes + now->workspace_bytes;
            sim_events_counter(events, class, "memory, bytes of a GPU", now->at_ns,
                               (double)(int64_t)(bytes + 0.5));
        }
    }
}

static gint busier_first(gconstpointer left, gconstpointer right)
{
    const TopoHotLink *a = *(const TopoHotLink *const *)left,
                      *b = *(const TopoHotLink *const *)right;
    if (a->carried_fraction < b->carried_fraction || a->carried_fraction > b->carried_fraction)
        return a->carried_fraction < b->carried_fraction ? 1 : -1;
    return g_strcmp0(a->name, b->name);
}

static void add_link(SimEvents *events, uint32_t process, const TopoHotLink *link, SimTime makespan)
{
    const TopoFluidCurve *curve = link->curve;
    double last = -1.0;
    g_autofree char *name = link->alike > 1 ? g_strdup_printf("%s and " I64 " alike, %% used",
                                                              link->name, link->alike - 1)
                                            : g_strdup_printf("%s, %% used", link->name);
    for (uint32_t i = 0; i <= curve->count; i++) {
        SimTime at = MIN((SimTime)i * curve->every_ns, makespan);
        double lasts_s = sim_time_to_seconds(MIN(curve->every_ns, makespan - at));
        double carried = i < curve->count ? curve->carried_bytes[i] : 0.0;
        double percent = carried > 0.0 ? 100.0 * carried / (link->bytes_per_s * lasts_s) : 0.0;
        percent = MIN(percent, 100.0);
        if (percent < last || percent > last)
            sim_events_counter(events, process, name, at, percent);
        last = percent;
    }
}

/* What a link joins: "leaf -> nic" of "leaf/12 -> nic/3". */
static char *kind_of(const TopoHotLink *link)
{
    GString *kind = g_string_new(NULL);
    for (const char *c = link->name; *c != '\0'; c++)
        if (!g_ascii_isdigit(*c) && *c != '/')
            g_string_append_c(kind, *c);
    return g_string_free(kind, FALSE);
}

/* The busiest of @all, a few of each kind. */
static GPtrArray *busiest(const GArray *all)
{
    GPtrArray *links = g_ptr_array_new();
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < all->len; i++)
        g_ptr_array_add(links, &g_array_index(all, TopoHotLink, i));
    g_ptr_array_sort(links, busier_first);
    guint kept = 0;
    for (guint i = 0; i < links->len && kept < LINKS_SHOWN; i++) {
        char *kind = kind_of(links->pdata[i]);
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(taken, kind)) + 1;
        if (count <= LINKS_OF_A_KIND)
            links->pdata[kept++] = links->pdata[i];
        g_hash_table_replace(taken, kind, GUINT_TO_POINTER(count));
    }
    g_ptr_array_set_size(links, (int)kept);
    return links;
}

/* The busiest links as a process after the classes, where the network knows links. */
static bool add_links(SimEvents *events, const StratCosting *costing,
                      const StratTrainResult *result, GError **error)
{
    if (!result->hot_links)
        return true;
    g_autoptr(GArray) all = strat_train_links(costing, result, error);
    if (!all)
        return false;
    uint32_t process = sim_program_class_count(result->step->program);
    g_autoptr(GPtrArray) links = busiest(all);
    SimTime longest = 0;
    sim_events_process(events, process, "links", process);
    for (guint i = 0; i < links->len; i++) {
        const TopoHotLink *link = links->pdata[i];
        longest = MAX(longest, link->curve->every_ns);
        add_link(events, process, link, result->run->makespan);
    }
    g_autofree char *text = g_strdup_printf(
        "%u of %u classes of links that carry something, the %d busiest of each kind; each value "
        "is the mean over at most " I64 " ns",
        links->len, all->len, (int)LINKS_OF_A_KIND, longest);
    sim_events_note(events, "links", text);
    return true;
}

static void add_notes(SimEvents *events, const StratTrainResult *result, uint64_t left_out)
{
    g_autofree char *folded = g_strdup_printf(
        I64 " GPUs in " I64 " classes, drawn once each: the GPUs of a class do the same at the "
            "same time",
        result->gpus, result->classes);
    g_autofree char *segments =
        left_out == 0 ? g_strdup("all operations of all tasks are drawn")
                      : g_strdup_printf(
                            "%" G_GUINT64_FORMAT " operations are not drawn: the tasks of a class "
                            "that repeat an earlier one are a slice each, without what is in them",
                            left_out);
    sim_events_note(events, "folded", folded);
    sim_events_note(events, "operations", segments);
}

char *scen_timeline_step(const ScenScenario *scenario, const StratTrainResult *result,
                         GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return NULL;
    ScenTimeline timeline = {0};
    scen_timeline_open(&timeline, scenario);
    Names names = names_of(scenario, result->step);
    SimTraceView view = {
        .program = result->step->program,
        .run = result->run,
        .class_names = (const char *const *)names.class_names->pdata,
        .class_order = names.order,
        .op_names = names.op_names,
        .segments_most = SEGMENTS_MOST,
    };
    add_notes(timeline.events, result, sim_trace_write(&view, timeline.events));
    names_clear(&names);
    add_memory(timeline.events, &costing, result);
    bool is_done = add_links(timeline.events, &costing, result, error);
    g_autofree char *text = scen_timeline_close(&timeline);
    return is_done ? g_steal_pointer(&text) : NULL;
}
