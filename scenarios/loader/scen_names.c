/* Which name was meant.
 *
 * Nearness is the edit distance that counts swapped neighbours as one (optimal string alignment,
 * Damerau 1964), case ignored, and at most a third of the name. Failing that, the shortest known
 * name that starts with what was written (`gpt3` for `gpt3-175b`). Names over COMPARED_MAX bytes
 * are not compared, which bounds the work on hostile input. */
#include "scen_names.h"

#include <stdbool.h>
#include <string.h>

#define COMPARED_MAX 64
#define LISTED_MAX 80

static size_t distance(const char *a, const char *b)
{
    size_t rows[3][COMPARED_MAX + 1];
    size_t *older = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++)
        last[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        now[0] = i;
        for (size_t j = 1; j <= width; j++) {
            char x = g_ascii_tolower(a[i - 1]);
            char y = g_ascii_tolower(b[j - 1]);
            now[j] = MIN(MIN(last[j] + 1, now[j - 1] + 1), last[j - 1] + (x != y));
            bool swapped =
                i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]);
            if (swapped)
                now[j] = MIN(now[j], older[j - 2] + 1);
        }
        size_t *spare = older;
        older = last;
        last = now;
        now = spare;
    }
    return last[width];
}

static const char *longer_name(const char *name, const GPtrArray *known)
{
    const char *best = NULL;
    for (size_t i = 0; i < known->len; i++) {
        const char *candidate = known->pdata[i];
        if (g_ascii_strncasecmp(candidate, name, strlen(name)) != 0)
            continue;
        if (!best || strlen(candidate) < strlen(best))
            best = candidate;
    }
    return best;
}

const char *scen_names_nearest(const char *name, const GPtrArray *known)
{
    size_t length = strlen(name);
    if (length == 0 || length > COMPARED_MAX)
        return NULL;
    const char *best = NULL;
    size_t least = MAX(length / 3, 1) + 1;
    for (size_t i = 0; i < known->len; i++) {
        const char *candidate = known->pdata[i];
        if (strlen(candidate) > COMPARED_MAX)
            continue;
        size_t far = distance(name, candidate);
        if (far < least) {
            least = far;
            best = candidate;
        }
    }
    return best || length < 2 ? best : longer_name(name, known);
}

char *scen_names_advice(const char *name, const GPtrArray *known)
{
    GString *advice = g_string_new(NULL);
    const char *nearest = scen_names_nearest(name, known);
    if (nearest)
        g_string_append_printf(advice, ", did you mean '%s'?", nearest);
    g_string_append(advice, nearest ? " Known: " : ", known: ");
    for (size_t i = 0; i < known->len && i < LISTED_MAX; i++)
        g_string_append_printf(advice, "%s%s", i ? ", " : "", (const char *)known->pdata[i]);
    if (known->len == 0)
        g_string_append(advice, "none");
    if (known->len > LISTED_MAX)
        g_string_append_printf(advice, ", and %u more", known->len - LISTED_MAX);
    return g_string_free(advice, FALSE);
}
