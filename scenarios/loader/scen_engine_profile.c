/* Kernel profiles of engines.
 *
 *   dense.csv         layer, tokens, time_us
 *   per_sequence.csv  layer, sequences, time_us
 *   attention.csv     prefill_chunk, kv_prefill, n_decode, kv_decode, time_us
 *   moe.csv           tokens, activated_experts, time_us
 *   skew_fit.csv      pc, n_label, skew_rate_label, kv_big_label, kp_label, alpha, n_samples, the
 *                     bins of each axis up to and with a limit: "n<=64", "sr<=15%", "kvB<=4k",
 *                     "kp=0", and above the last: "n>256"
 *   meta.yaml         in the folder above; skew_fit: {enabled: false} says that the skew table is
 *                     not of this machine, and it is left alone
 *
 * Format: casys-kaist/LLMServingSim, profiler/, of 2026. Of the skew table, the rows of decodes
 * alone (pc 0) are read; strat_profile_price.c says why. */
#include "scen_engine_profile.h"

#include "scen_csv.h"
#include "scen_doc.h"

#include <math.h>

/* A measurement of several variables, as it is sorted. */
typedef struct Point {
    double at[4], seconds;
} Point;

static int compare_points(gconstpointer a, gconstpointer b)
{
    const Point *left = a, *right = b;
    for (int i = 0; i < 4; i++) {
        if (left->at[i] < right->at[i] || left->at[i] > right->at[i])
            return left->at[i] < right->at[i] ? -1 : 1;
    }
    return 0;
}

/* Rows of @path: @columns (NULL after the last) and time_us, sorted by the columns; of @layer alone
 * unless that is NULL. */
static GArray *read_points(const char *path, const char *const *columns, const char *layer,
                           GError **error)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    if (!csv)
        return NULL;
    int column[4], count = 0, time = scen_csv_column(csv, "time_us");
    int name = layer ? scen_csv_column(csv, "layer") : -1;
    bool complete = time >= 0 && (!layer || name >= 0);
    for (; columns[count]; count++) {
        column[count] = scen_csv_column(csv, columns[count]);
        complete = complete && column[count] >= 0;
    }
    if (!complete) {
        scen_csv_fail(csv, error, "columns of a kernel profile expected, not %s",
                      scen_csv_header(csv));
        return NULL;
    }
    g_autoptr(GArray) points = g_array_new(FALSE, TRUE, sizeof(Point));
    g_autoptr(GError) fault = NULL;
    while (scen_csv_next(csv, &fault)) {
        Point point = {0};
        if (layer && !g_str_equal(scen_csv_text(csv, name), layer))
            continue;
        for (int i = 0; i < count; i++) {
            if (!scen_csv_number(csv, column[i], 0.0, &point.at[i], error))
                return NULL;
        }
        if (!scen_csv_number(csv, time, 0.0, &point.seconds, error))
            return NULL;
        point.seconds *= 1e-6;
        g_array_append_val(points, point);
    }
    if (fault) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    g_array_sort(points, compare_points);
    return g_steal_pointer(&points);
}

static const Point *point_of(const GArray *points, guint i)
{
    return &g_array_index(points, Point, i);
}

static bool read_curves(StratProfile *profile, const char *folder, GError **error)
{
    static const char *const tokens[] = {"tokens", NULL}, *const sequences[] = {"sequences", NULL};
    for (int layer = 0; layer < STRAT_PROFILE_LAYERS; layer++) {
        bool head = layer == STRAT_PROFILE_HEAD || layer == STRAT_PROFILE_SAMPLER;
        g_autofree char *path =
            g_build_filename(folder, head ? "per_sequence.csv" : "dense.csv", NULL);
        g_autoptr(GArray) points =
            read_points(path, head ? sequences : tokens,
                        strat_profile_layer_name((StratProfileLayer)layer), error);
        if (!points)
            return false;
        for (guint i = 0; i < points->len; i++)
            strat_profile_curve_add(strat_profile_of(profile, (StratProfileLayer)layer),
                                    point_of(points, i)->at[0], point_of(points, i)->seconds);
    }
    return true;
}

static bool read_attention(StratProfile *profile, const char *folder, GError **error)
{
    static const char *const columns[] = {"prefill_chunk", "n_decode", "kv_prefill", "kv_decode",
                                          NULL};
    enum { CHUNK, DECODES, PAST, CONTEXT };
    g_autofree char *path = g_build_filename(folder, "attention.csv", NULL);
    g_autoptr(GArray) points = read_points(path, columns, NULL, error);
    if (!points)
        return false;
    for (guint i = 0; i < points->len; i++) {
        const Point *p = point_of(points, i);
        strat_profile_add_attention(profile, p->at[CHUNK], p->at[DECODES], p->at[PAST],
                                    p->at[CONTEXT], p->seconds);
    }
    return true;
}

static bool read_experts(StratProfile *profile, const char *folder, GError **error)
{
    static const char *const columns[] = {"activated_experts", "tokens", NULL};
    g_autofree char *path = g_build_filename(folder, "moe.csv", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_autoptr(GArray) points = read_points(path, columns, NULL, error);
    if (!points)
        return false;
    for (guint i = 0; i < points->len; i++) {
        const Point *p = point_of(points, i);
        strat_profile_add_experts(profile, p->at[0], p->at[1], p->seconds);
    }
    return true;
}

/* The limit of a bin: "kvB<=4k" 4096, "sr<=15%" 0.15, "n>256" infinity. */
static bool limit_of(const char *label, double *limit)
{
    const char *number = strpbrk(label, "0123456789");
    if (!number)
        return false;
    char *end;
    *limit = strchr(label, '>') ? INFINITY : g_ascii_strtod(number, &end);
    if (isinf(*limit))
        return true;
    *limit *= *end == 'k' ? 1024.0 : *end == '%' ? 0.01 : 1.0;
    return true;
}

static bool read_skew_row(StratProfile *profile, const ScenCsv *csv, GError **error)
{
    double decodes, rate, longest, alpha;
    const char *pc = scen_csv_text(csv, scen_csv_column(csv, "pc"));
    if (!g_str_equal(pc, "0"))
        return true;
    if (!limit_of(scen_csv_text(csv, scen_csv_column(csv, "n_label")), &decodes) ||
        !limit_of(scen_csv_text(csv, scen_csv_column(csv, "skew_rate_label")), &rate) ||
        !limit_of(scen_csv_text(csv, scen_csv_column(csv, "kv_big_label")), &longest))
        return scen_csv_fail(csv, error, "bins like n<=64, sr<=15%%, kvB<=4k expected");
    if (!scen_csv_number(csv, scen_csv_column(csv, "alpha"), -10.0, &alpha, error))
        return false;
    strat_profile_add_skew(profile, decodes, rate, longest, alpha);
    return true;
}

/* Whether the meta.yaml beside @folder disowns its skew table. */
static bool skew_is_off(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "..", "meta.yaml", NULL);
    g_autofree char *text = NULL;
    size_t length;
    text = scen_file_read(path, &length, NULL);
    if (!text)
        return false;
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    const ScenNode *meta = scen_doc_parse(pool, path, SCEN_ORIGIN_DOCUMENT, text, length, errors);
    const ScenNode *fit = meta ? scen_node_get(meta, "skew_fit") : NULL;
    const ScenNode *enabled = fit ? scen_node_get(fit, "enabled") : NULL;
    return enabled && enabled->text && g_str_equal(enabled->text, "false");
}

static bool read_skew(StratProfile *profile, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "skew_fit.csv", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS) || skew_is_off(folder))
        return true;
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    if (!csv)
        return false;
    g_autoptr(GError) fault = NULL;
    while (scen_csv_next(csv, &fault)) {
        if (!read_skew_row(profile, csv, error))
            return false;
    }
    bool sound = fault == NULL;
    if (!sound)
        g_propagate_error(error, g_steal_pointer(&fault));
    return sound;
}

StratProfile *scen_engine_profile_read(const char *path, int64_t tensor, GError **error)
{
    g_autofree char *flat = g_build_filename(path, "dense.csv", NULL);
    g_autofree char *ranks = g_strdup_printf("tp%" G_GINT64_FORMAT, tensor);
    g_autofree char *folder = g_file_test(flat, G_FILE_TEST_EXISTS)
                                  ? g_strdup(path)
                                  : g_build_filename(path, ranks, NULL);
    g_autoptr(StratProfile) profile = strat_profile_new();
    if (!read_curves(profile, folder, error) || !read_attention(profile, folder, error) ||
        !read_experts(profile, folder, error) || !read_skew(profile, folder, error))
        return NULL;
    if (!strat_profile_check(profile, error)) {
        g_prefix_error(error, "%s: ", folder);
        return NULL;
    }
    return g_steal_pointer(&profile);
}
