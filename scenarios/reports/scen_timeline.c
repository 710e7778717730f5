/* A timeline is written into memory, since --out and --trace may both want it; then to a file, in
 * place: a path like /dev/stdout is not to be replaced. */
#include "scen_timeline.h"

#include <errno.h>

void scen_timeline_open(ScenTimeline *timeline, const ScenScenario *scenario)
{
    timeline->file = open_memstream(&timeline->text, &timeline->length);
    g_assert(timeline->file != NULL); /* only without memory */
    timeline->events = sim_events_new(timeline->file);
    sim_events_note(timeline->events, "scenario", scenario->name);
}

char *scen_timeline_close(ScenTimeline *timeline)
{
    bool is_closed = sim_events_close(timeline->events, NULL) && fclose(timeline->file) == 0;
    g_assert(is_closed);
    char *text = g_strndup(timeline->text, timeline->length);
    free(timeline->text);
    return text;
}

bool scen_timeline_write(const char *text, const char *path, GError **error)
{
    FILE *file = fopen(path, "we");
    bool is_written = file && fputs(text, file) >= 0;
    int reason = errno;
    if (file && fclose(file) != 0) {
        reason = errno;
        is_written = false;
    }
    if (!is_written)
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason), "%s: %s", path,
                    g_strerror(reason));
    return is_written;
}
