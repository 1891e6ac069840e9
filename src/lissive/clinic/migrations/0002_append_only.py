"""The database itself refuses to change or take out a line of the trail.

A later migration that alters the table makes SQLite copy it, and the triggers are lost: it ends with `guard` again.
`lissive web verify-audit` finds it where they are missing.
"""

from django.db import migrations
from django.db.backends.base.base import BaseDatabaseWrapper

_SAID = "the trail is append-only"
GUARDS = {
    "sqlite": {
        "clinic_entry_update": f"BEFORE UPDATE ON clinic_entry BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
        "clinic_entry_delete": f"BEFORE DELETE ON clinic_entry BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
        # INSERT OR REPLACE takes a row out without asking the trigger of DELETE
        "clinic_entry_insert": "BEFORE INSERT ON clinic_entry "
        "WHEN EXISTS (SELECT 1 FROM clinic_entry WHERE id = NEW.id OR prev = NEW.prev) "
        f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    },
    "postgresql": {
        "clinic_entry_kept": "BEFORE UPDATE OR DELETE OR TRUNCATE ON clinic_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION clinic_entry_refuse()",
    },
}
_FUNCTION = f"""CREATE OR REPLACE FUNCTION clinic_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'integrity_constraint_violation'; END $$"""


def guard(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
        for name, what in GUARDS[connection.vendor].items():
            cursor.execute(f"CREATE TRIGGER {name} {what}")


def unguard(connection: BaseDatabaseWrapper) -> None:
    on = " ON clinic_entry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in GUARDS[connection.vendor]:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


class Migration(migrations.Migration):
    dependencies = [("clinic", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: guard(editor.connection), lambda apps, editor: unguard(editor.connection)
        )
    ]
