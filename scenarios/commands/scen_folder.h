/** Folders that commands write to. */
#ifndef SCEN_FOLDER_H
#define SCEN_FOLDER_H

#include <glib.h>
#include <stdbool.h>

/** Makes @folder and those around it where they are missing. */
bool scen_folder_make(const char *folder, GError **error);

#endif
