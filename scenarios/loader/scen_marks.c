/* Marks by path.
 *
 * Binding turns nodes into plain structs, which have no room for marks; checks across fields come
 * after it and still want to point at the offending key. So the binder notes each key's mark under
 * its dotted path, and a look-up falls back to the group around it: a plan that was given by name
 * answers for all of its values. */
#include "scen_marks.h"

#include <string.h>

struct ScenMarks {
    GHashTable *places;  /* path -> ScenMark */
    GHashTable *refused; /* set of paths */
};

ScenMarks *scen_marks_new(void)
{
    ScenMarks *marks = g_new0(ScenMarks, 1);
    marks->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    marks->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return marks;
}

void scen_marks_free(ScenMarks *marks)
{
    if (!marks)
        return;
    g_hash_table_unref(marks->places);
    g_hash_table_unref(marks->refused);
    g_free(marks);
}

void scen_marks_set(ScenMarks *marks, const char *path, ScenMark mark)
{
    if (!marks || mark.origin == SCEN_ORIGIN_CATALOG || !mark.file)
        return;
    ScenMark *copy = g_new(ScenMark, 1);
    *copy = mark;
    g_hash_table_insert(marks->places, g_strdup(path), copy);
}

void scen_marks_refuse(ScenMarks *marks, const char *path)
{
    if (marks)
        g_hash_table_add(marks->refused, g_strdup(path));
}

/** Cuts @path back to the group around it; false at the root. */
static bool step_out(char *path)
{
    char *dot = strrchr(path, '.');
    bool more = path[0] != '\0';
    *(dot ? dot : path) = '\0';
    return more;
}

bool scen_marks_is_refused(const ScenMarks *marks, const char *path)
{
    if (!marks)
        return false;
    g_autofree char *group = g_strdup(path);
    do {
        if (g_hash_table_contains(marks->refused, group))
            return true;
    } while (step_out(group));
    return false;
}

ScenMark scen_marks_find(const ScenMarks *marks, const char *path)
{
    if (!marks)
        return (ScenMark){.file = NULL};
    g_autofree char *group = g_strdup(path);
    do {
        const ScenMark *found = g_hash_table_lookup(marks->places, group);
        if (found)
            return *found;
    } while (step_out(group));
    return (ScenMark){.file = NULL};
}
