/* What both reports of a search list: rejected deployments by family and reason, the Pareto set in
 * order of dollars. */
#include "scen_search_report.h"

#define I64 "%" G_GINT64_FORMAT

static guint family_of(const ScenDeployments *all, const ScenDeployment *one)
{
    return g_array_index(all->shapes, ScenShape, one->shape).family;
}

GArray *scen_search_rejected(const ScenSearched *searched)
{
    const ScenDeployments *all = searched->all;
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(ScenRejected));
    g_array_set_size(rows, all->families->len * SCEN_FATE_COUNT);
    ScenRejected *row = (ScenRejected *)(void *)rows->data;
    for (gint i = 0; i < (gint)all->list->len; i++) {
        const ScenDeployment *one = scen_searched_at(searched, i);
        ScenRejected *mine = &row[family_of(all, one) * SCEN_FATE_COUNT + one->fate];
        const ScenDeployment *example = scen_searched_at(searched, mine->example);
        if (mine->count++ == 0 || one->figures.attainment > example->figures.attainment)
            mine->example = i;
    }
    guint kept = 0;
    for (guint i = 0; i < rows->len; i++) {
        ScenRejected one = row[i];
        one.family = i / SCEN_FATE_COUNT;
        one.fate = (ScenFate)(i % SCEN_FATE_COUNT);
        if (one.count > 0 && one.fate != SCEN_FATE_MEETS)
            row[kept++] = one;
    }
    g_array_set_size(rows, kept);
    return rows;
}

static char *why_missed(const ScenFigures *figures)
{
    static const char *const objectives[] = {"TTFT", "TPOT", "E2E"};
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(objectives); i++)
        if (figures->missed[i] > 0)
            g_string_append_printf(text, "%s%s by " I64, text->len ? ", " : "", objectives[i],
                                   figures->missed[i]);
    g_string_append_printf(text, "%sof " I64 " requests looked at", text->len ? " " : "",
                           figures->looked_at);
    return g_strdup(text->str);
}

char *scen_search_why(const ScenSearched *searched, gint index)
{
    const ScenDeployment *one = scen_searched_at(searched, index);
    const GArray *shapes = searched->all->shapes;
    const ScenShape *shape = &g_array_index(shapes, ScenShape, one->shape);
    if (one->why)
        return g_strdup(one->why);
    if (one->fate == SCEN_FATE_MISSES)
        return why_missed(&one->figures);
    if (one->fate == SCEN_FATE_DEARER)
        return g_strdup_printf("at least $%.4g", one->least_usd);
    if (shape->fate != one->fate && one->prefill >= 0)
        shape = &g_array_index(shapes, ScenShape, one->prefill);
    return shape->fate == one->fate ? g_strdup(shape->why) : NULL;
}

static gint compare(gconstpointer a, gconstpointer b, gpointer data)
{
    gint i = *(const gint *)a, j = *(const gint *)b;
    const ScenDeployment *x = scen_searched_at(data, i), *y = scen_searched_at(data, j);
    if (x->figures.usd < y->figures.usd || x->figures.usd > y->figures.usd)
        return x->figures.usd < y->figures.usd ? -1 : 1;
    return x->gpus != y->gpus ? (x->gpus < y->gpus ? -1 : 1) : (i > j) - (i < j);
}

GArray *scen_search_pareto(const ScenSearched *searched)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(gint));
    for (gint i = 0; i < (gint)searched->all->list->len; i++)
        if (searched->pareto[i])
            g_array_append_val(list, i);
    g_array_sort_with_data(list, compare, (gpointer)searched);
    return list;
}
