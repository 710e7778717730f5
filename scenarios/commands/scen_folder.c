/* Folders that commands write to. */
#include "scen_folder.h"

#include <errno.h>
#include <glib/gstdio.h>

bool scen_folder_make(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0777) == 0)
        return true;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", folder,
                g_strerror(errno));
    return false;
}
