"""The database itself refuses to change what was signed, or the file that was issued; and to take back that it ended.

A later migration that alters these tables makes SQLite copy them, and the triggers are lost: it ends with `guard`.
A signed certificate can be deleted with the whole record of its patient; `verify-audit` finds any other deletion.
"""

from django.db import migrations
from django.db.backends.base.base import BaseDatabaseWrapper

_SAID = "a signed certificate is not changed"
_SIGNED = (
    "organisation_id patient_id case_id visit_id practitioner_id place rule rules_sha256 content grounds code sha256 "
    "trail_head signed_at signed_zone signed_by_id begins expires apply_by exam_by supersedes_id pdf_id"
).split()
_ENDED = ("status", "ended_at", "ended_kind", "ended_why", "ended_by_id")


def _changed(columns: tuple[str, ...] | list[str], differs: str) -> str:
    return " OR ".join(f"NEW.{each} {differs} OLD.{each}" for each in columns)


def _when(differs: str) -> str:
    ended = f"OLD.status IN ('superseded', 'revoked') AND ({_changed(_ENDED, differs)})"
    return f"OLD.signed_at IS NOT NULL AND ({_changed(_SIGNED, differs)} OR NEW.status = 'draft' OR ({ended}))"


_REFUSE = f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
_CALL = "FOR EACH ROW {when}EXECUTE FUNCTION clinic_certificate_refuse()"
GUARDS = {
    "sqlite": {
        "clinic_certificate_signed": f"BEFORE UPDATE ON clinic_certificate WHEN {_when('IS NOT')} {_REFUSE}",
        # INSERT OR REPLACE takes a row out without asking a trigger
        "clinic_certificate_insert": "BEFORE INSERT ON clinic_certificate WHEN EXISTS (SELECT 1 FROM clinic_certificate "
        f"WHERE (id = NEW.id OR code = NEW.code) AND signed_at IS NOT NULL) {_REFUSE}",
        "clinic_certificate_file": "BEFORE UPDATE OF content, sha256 ON clinic_document "
        f"WHEN EXISTS (SELECT 1 FROM clinic_certificate WHERE pdf_id = OLD.id) {_REFUSE}",
    },
    "postgresql": {
        "clinic_certificate_signed": "BEFORE UPDATE ON clinic_certificate "
        + _CALL.format(when=f"WHEN ({_when('IS DISTINCT FROM')}) "),
        "clinic_certificate_file": "BEFORE UPDATE OF content, sha256 ON clinic_document "
        "FOR EACH ROW EXECUTE FUNCTION clinic_certificate_file_refuse()",
    },
}
_RAISE = f"RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'integrity_constraint_violation'"
_FUNCTIONS = (
    "CREATE OR REPLACE FUNCTION clinic_certificate_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN {_RAISE}; END $$",
    "CREATE OR REPLACE FUNCTION clinic_certificate_file_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF EXISTS (SELECT 1 FROM clinic_certificate WHERE pdf_id = OLD.id) THEN "
    f"{_RAISE}; END IF; RETURN NEW; END $$",
)


def _table_of(what: str) -> str:
    return what.split(" ON ")[1].split()[0]


def guard(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for each in _FUNCTIONS if connection.vendor == "postgresql" else ():
            cursor.execute(each)
        for name, what in GUARDS[connection.vendor].items():
            cursor.execute(f"CREATE TRIGGER {name} {what}")


def unguard(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for name, what in GUARDS[connection.vendor].items():
            on = f" ON {_table_of(what)}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


class Migration(migrations.Migration):
    dependencies = [("clinic", "0003_day")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: guard(editor.connection), lambda apps, editor: unguard(editor.connection)
        )
    ]
