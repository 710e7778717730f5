/** Where each bound value of a scenario was written, by its path ("plan.tensor"). */
#ifndef SCEN_MARKS_H
#define SCEN_MARKS_H

#include "scen_errors.h"

typedef struct ScenMarks ScenMarks;

ScenMarks *scen_marks_new(void);
void scen_marks_free(ScenMarks *marks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenMarks, scen_marks_free)

/** Notes that @path was written at @mark. A mark in a catalog is not kept: the author of the
 *  scenario chose the row, so faults belong where it is named. */
void scen_marks_set(ScenMarks *marks, const char *path, ScenMark mark);

/** Notes that the value of @path was refused, so that no check stumbles over it again. */
void scen_marks_refuse(ScenMarks *marks, const char *path);

/** Was the value of @path refused, or that of a group around it? */
bool scen_marks_is_refused(const ScenMarks *marks, const char *path);

/** The mark of @path or of the nearest group around it that has one; an empty mark otherwise. */
ScenMark scen_marks_find(const ScenMarks *marks, const char *path);

#endif
