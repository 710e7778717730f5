/* The table of `sweep:`, the points that `orrery sweep` runs.
 *
 *   sweep:
 *     list:                                  # explicit rows
 *       - {plan.schedule: 1f1b}
 *       - {plan.schedule: zb-v, plan.virtual_stages: 2}
 *     grid:                                  # all combinations, with each row of the list
 *       plan.tensor: [1, 2, 4, 8]
 *       plan.micro_batch: {from: 1, to: 8, factor: 2}
 *       traffic.rate: {from: 1 /s, to: 8 /s, step: 0.5 /s}
 *     seeds: 5                               # 1 to 5, with each of those; or a list
 *     figure: training.step_time_s           # what the summary goes by
 *     best: least
 *
 * A path is whatever --set takes. Values are kept as the text that --set would be given, so that a
 * point and `orrery run --set ...` are the same scenario. A range ends at the last value that is not
 * above `to`, with a part in 1e9 for what rounding does; its values have 12 digits, so that
 * 0.1 + 2 x 0.1 is 0.3, and the unit of `from`. */
#include "scen_fields.h"
#include "scen_sweep_fields.h"

#include <math.h>
#include <string.h>

static const ScenName bests[] = {
    {"least", SCEN_SWEEP_LEAST},
    {"most",  SCEN_SWEEP_MOST },
    {NULL,    0               },
};

/* A mark whose file lives as long as the scenario. */
static ScenMark keep(ScenBinder *binder, ScenMark mark)
{
    mark.file = mark.file ? g_string_chunk_insert_const(binder->strings, mark.file) : NULL;
    return mark;
}

static void add_setting(ScenBinder *binder, GArray *settings, const char *path, const char *value,
                        ScenMark mark)
{
    ScenSetting setting = {
        .path = g_string_chunk_insert_const(binder->strings, path),
        .value = g_string_chunk_insert_const(binder->strings, value),
        .mark = keep(binder, mark),
    };
    g_array_append_val(settings, setting);
}

/* A number with what stands before and after it: "$2/h", "400 Gbps", "8". */
typedef struct Amount {
    double number;
    char *before, *after;
    double value; /* in the unit of the field */
} Amount;

static void amount_clear(Amount *amount)
{
    g_free(amount->before);
    g_free(amount->after);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Amount, amount_clear)

/* Reads @key of the range @map, a value of @field (NULL: unknown, a plain number). */
static bool read_amount(ScenBinder *binder, const ScenField *field, const ScenNode *map,
                        const char *key, Amount *amount)
{
    const ScenNode *node = scen_node_get(map, key);
    g_autoptr(GError) error = NULL;
    if (!node || node->kind != SCEN_NODE_TEXT) {
        scen_errors_add(binder->errors, node ? node->mark : map->mark,
                        "a range needs '%s', a number or a quantity", key);
        return false;
    }
    const char *start = node->text + strcspn(node->text, "+-.0123456789");
    char *end = NULL;
    amount->number = g_ascii_strtod(start, &end);
    amount->before = g_strndup(node->text, (gsize)(start - node->text));
    amount->after = g_strdup(end);
    amount->value = amount->number;
    bool plain = !*amount->before && !*amount->after;
    bool known = field && field->kind == SCEN_QUANTITY;
    if (known && !scen_quantity_parse(node->text, field->dimension, &amount->value, &error)) {
        scen_errors_add(binder->errors, node->mark, "'%s': %s", key, error->message);
        return false;
    }
    if (end == start || !isfinite(amount->number) || (!known && !plain)) {
        g_autofree char *quoted = scen_quote(node->text);
        scen_errors_add(binder->errors, node->mark, "'%s' of a range must be a number, not %s", key,
                        quoted);
        return false;
    }
    return true;
}

/* The values of a range, in the unit of @from; the first that its field does not take ends it. */
static void fill_range(ScenBinder *binder, const ScenField *field, const char *path,
                       const ScenNode *map, const Amount *from, double to, double by,
                       GArray *settings)
{
    bool factor = scen_node_get(map, "factor");
    double unit = 1.0, end = to * (1.0 + (to < 0.0 ? -1e-9 : 1e-9)), value = from->value;
    if (field && field->kind == SCEN_QUANTITY) {
        g_autofree char *one = g_strconcat(from->before, "1", from->after, NULL);
        scen_quantity_parse(one, field->dimension, &unit, NULL);
    }
    for (int64_t i = 0; value <= end; i++) {
        if (i == SCEN_SWEEP_VALUES_MAX) {
            scen_errors_add(binder->errors, map->mark, "a range of more than %d values",
                            SCEN_SWEEP_VALUES_MAX);
            return;
        }
        g_autofree char *text =
            g_strdup_printf("%s%.12g%s", from->before, value / unit, from->after);
        const ScenNode node = {.kind = SCEN_NODE_TEXT, .mark = map->mark, .text = text};
        size_t before = scen_errors_count(binder->errors);
        scen_sweep_check_value(binder, path, &node);
        if (scen_errors_count(binder->errors) > before)
            return;
        add_setting(binder, settings, path, text, map->mark);
        value = factor ? value * by : from->value + (double)(i + 1) * by;
    }
}

/* Whether @map has the keys of a range alone. */
static bool is_range(ScenBinder *binder, const ScenNode *map)
{
    bool factor = scen_node_get(map, "factor");
    const char *const keys[] = {"from", "to", factor ? "factor" : "step"};
    for (guint i = 0; i < map->items->len; i++) {
        const ScenItem *item = &g_array_index(map->items, ScenItem, i);
        size_t k = 0;
        while (k < G_N_ELEMENTS(keys) && !g_str_equal(keys[k], item->key))
            k++;
        if (k < G_N_ELEMENTS(keys))
            continue;
        g_autofree char *quoted = scen_quote(item->key);
        scen_errors_add(binder->errors, item->key_mark,
                        "%s in a range, which has from, to, and step or factor", quoted);
        return false;
    }
    return true;
}

static void bind_range(ScenBinder *binder, const ScenField *field, const char *path,
                       const ScenNode *map, GArray *settings)
{
    g_auto(Amount) from = {0}, to = {0}, by = {0};
    bool factor = scen_node_get(map, "factor");
    if (!is_range(binder, map) || !read_amount(binder, field, map, "from", &from) ||
        !read_amount(binder, field, map, "to", &to) ||
        !read_amount(binder, factor ? NULL : field, map, factor ? "factor" : "step", &by))
        return;
    if (to.value < from.value)
        scen_errors_add(binder->errors, map->mark, "a range goes up: 'to' is below 'from'");
    else if (factor ? by.value <= 1.0 || from.value <= 0.0 : by.value <= 0.0)
        scen_errors_add(binder->errors, map->mark,
                        factor ? "a factor must be above 1, and 'from' above 0"
                               : "a step must be above 0");
    else
        fill_range(binder, field, path, map, &from, to.value, by.value, settings);
}

static void bind_values(ScenBinder *binder, const ScenField *field, const char *path,
                        const ScenNode *node, GArray *settings)
{
    if (node->kind == SCEN_NODE_MAP && scen_node_get(node, "from")) {
        bind_range(binder, field, path, node, settings);
    } else if (node->kind != SCEN_NODE_LIST || node->items->len == 0) {
        g_autofree char *found = scen_node_describe(node);
        scen_errors_add(binder->errors, node->mark,
                        "'%s' must be a list of values, or a range as {from: 1, to: 8, factor: 2}, "
                        "not %s",
                        path, node->kind == SCEN_NODE_LIST ? "an empty list" : found);
    } else {
        for (guint i = 0; i < node->items->len; i++) {
            const ScenNode *value = g_array_index(node->items, ScenItem, i).value;
            g_autofree char *text = scen_node_flow(value);
            scen_sweep_check_value(binder, path, value);
            add_setting(binder, settings, path, text, value->mark);
        }
    }
}

static bool bind_grid(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    if (node->kind != SCEN_NODE_MAP || node->items->len == 0)
        return false;
    GArray *grid = scen_sweep_axes_new();
    *(GArray **)slot = grid;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenItem *item = &g_array_index(node->items, ScenItem, i);
        const ScenField *of = scen_sweep_field(item->key, item->key_mark, binder->errors);
        ScenSweepAxis axis = {
            .settings = g_array_new(FALSE, FALSE, sizeof(ScenSetting)),
            .mark = keep(binder, item->key_mark),
        };
        if (of)
            bind_values(binder, of, item->key, item->value, axis.settings);
        if (axis.settings->len > 0)
            g_array_append_val(grid, axis);
        else
            g_array_unref(axis.settings);
    }
    return true;
}

static bool bind_list(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    if (node->kind != SCEN_NODE_LIST || node->items->len == 0)
        return false;
    GArray *list = scen_sweep_rows_new();
    *(GArray **)slot = list;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *row = g_array_index(node->items, ScenItem, i).value;
        GArray *settings = g_array_new(FALSE, FALSE, sizeof(ScenSetting));
        g_array_append_val(list, settings);
        if (row->kind != SCEN_NODE_MAP) {
            g_autofree char *found = scen_node_describe(row);
            scen_errors_add(binder->errors, row->mark,
                            "a row of the list must be a map from paths to values, not %s", found);
            continue;
        }
        for (guint j = 0; j < row->items->len; j++) {
            const ScenItem *item = &g_array_index(row->items, ScenItem, j);
            if (!scen_sweep_field(item->key, item->key_mark, binder->errors))
                continue;
            g_autofree char *text = scen_node_flow(item->value);
            scen_sweep_check_value(binder, item->key, item->value);
            add_setting(binder, settings, item->key, text, item->value->mark);
        }
    }
    return true;
}

#define SEED_MAX 9007199254740991.0

static const ScenForm seed_forms[] = {
    {.value = {.kind = SCEN_INT, .min = 1, .max = 1e6, .help = "from 1 to this"}},
    {.value = {.kind = SCEN_INT, .max = SEED_MAX, .help = "a seed"},              .least = 1, .most = 1000000},
    {.value = {.help = NULL}                                                           },
};

static bool bind_seeds(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    ScenField count = seed_forms[0].value, one = seed_forms[1].value;
    count.key = one.key = field->key;
    bool list = node->kind == SCEN_NODE_LIST;
    if (node->kind == SCEN_NODE_MAP || (list && node->items->len == 0))
        return false;
    GArray *seeds = g_array_new(FALSE, FALSE, sizeof(int64_t));
    *(GArray **)slot = seeds;
    int64_t most = 0;
    if (!list)
        scen_bind_value(binder, &count, node, &most);
    for (int64_t seed = 1; seed <= most; seed++)
        g_array_append_val(seeds, seed);
    for (guint i = 0; list && i < node->items->len; i++) {
        int64_t seed = 0;
        if (scen_bind_value(binder, &one, g_array_index(node->items, ScenItem, i).value, &seed))
            g_array_append_val(seeds, seed);
    }
    return true;
}

static bool bind_patterns(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                          void *slot)
{
    (void)field;
    if (node->kind != SCEN_NODE_LIST || node->items->len == 0)
        return false;
    GArray *patterns = g_array_new(FALSE, FALSE, sizeof(const char *));
    *(GArray **)slot = patterns;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        if (item->kind != SCEN_NODE_TEXT || item->text[0] == '\0')
            return false;
        const char *pattern = g_string_chunk_insert_const(binder->strings, item->text);
        g_array_append_val(patterns, pattern);
    }
    return true;
}

/* A path has one place that sets it, and a point one seed. */
static void check_twice(ScenBinder *binder, const ScenNode *map, const ScenSweep *sweep)
{
    g_autoptr(GPtrArray) paths = scen_sweep_paths(sweep);
    if (sweep->seeds && g_ptr_array_find_with_equal_func(paths, "seed", g_str_equal, NULL))
        scen_bind_fail(binder, map, "seeds", "'seed' is set by the list or the grid as well");
    for (guint i = 0; sweep->grid && i < sweep->grid->len; i++) {
        const ScenSweepAxis *axis = &g_array_index(sweep->grid, ScenSweepAxis, i);
        const char *path = g_array_index(axis->settings, ScenSetting, 0).path;
        bool listed = false;
        for (guint j = 0; sweep->list && j < sweep->list->len && !listed; j++) {
            const GArray *row = g_array_index(sweep->list, GArray *, j);
            for (guint k = 0; k < row->len; k++)
                listed = listed || g_str_equal(g_array_index(row, ScenSetting, k).path, path);
        }
        if (listed)
            scen_errors_add(binder->errors, axis->mark, "'%s' is set by 'list' as well", path);
    }
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenSweep *sweep = out;
    check_twice(binder, map, sweep);
    if (!scen_node_get(map, "grid") && !scen_node_get(map, "list") && !scen_node_get(map, "seeds"))
        scen_errors_add(binder->errors, map->mark,
                        "a sweep needs 'grid', 'list' or 'seeds': its points");
    scen_sweep_count(sweep);
    if (sweep->points < 0)
        scen_errors_add(binder->errors, map->mark, "a sweep of more than %d points",
                        SCEN_SWEEP_POINTS_MAX);
}

static const ScenForm grid_forms[] = {
    {.value = {.kind = SCEN_MAP, .help = "lists of values, or {from, to, step or factor}"}},
    {.value = {.help = NULL}},
};

static const ScenForm list_forms[] = {
    {.value = {.kind = SCEN_MAP, .help = "what a point sets"},
     .least = 1,
     .most = SCEN_SWEEP_POINTS_MAX},
    {.value = {.help = NULL}                           },
};

static const ScenForm pattern_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "a pattern, as training.*"},
     .least = 1,
     .most = SCEN_SWEEP_POINTS_MAX},
    {.value = {.help = NULL}                                   },
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenSweep, member, of_kind, __VA_ARGS__)
#define CUSTOM(key, member, ...) FIELD(key, member, SCEN_CUSTOM, __VA_ARGS__)

static const ScenField fields[] = {
    CUSTOM("grid", grid, .bind = bind_grid,
           .expected = "a map from paths to lists of values or ranges", .forms = grid_forms,
           .help = "paths as --set takes them; their values: lists, or {from, to, step or factor}"),
    CUSTOM("list", list, .bind = bind_list, .expected = "a list of maps from paths to values",
           .forms = list_forms,
           .help = "explicit points; with a grid, each of them with all of the grid"),
    CUSTOM("seeds", seeds, .bind = bind_seeds, .expected = "a number of seeds, or a list of them",
           .forms = seed_forms,
           .help = "seeds of every point: so many from 1 on, or a list (default: the scenario's)"),
    CUSTOM("figures", figures, .bind = bind_patterns, .expected = "a list of patterns",
           .forms = pattern_forms,
           .help = "figures that are kept, as training.* (default: all but long series)"),
    FIELD("figure", figure, SCEN_TEXT,
          .help = "figure that the best point has the best of (default: by the kind of scenario)"),
    FIELD("best", best, SCEN_ENUM, .names = bests,
          .help = "which value of it is best: least or most (default: the figure's own)"),
};

const ScenTable scen_sweep_table = {
    .what = "sweep",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenSweep),
    .finish = finish,
};
