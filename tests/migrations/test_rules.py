"""The golden rules for migrations, enforced on every revision by reading its source."""

import ast
from pathlib import Path

import pytest
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from dispinmap.database.chain import alembic_config, scripts
from dispinmap.database.comparison import COMPARISON
from dispinmap.database.engine import sync_engine
from dispinmap.database.revisions import LEGACY_REVISION, UNIQUE_LOCATION_REVISION, head, revisions
from dispinmap.database.tables import Base

SCHEMA = {
    "create_table",
    "drop_table",
    "rename_table",
    "add_column",
    "drop_column",
    "alter_column",
    "create_index",
    "drop_index",
    "create_unique_constraint",
    "create_foreign_key",
    "create_check_constraint",
    "create_primary_key",
    "drop_constraint",
}
DATA = {"execute", "exec_driver_sql", "bulk_insert", "get_bind"}
CONSTRAINTS = {name for name in SCHEMA if name.endswith(("_constraint", "_key"))}

REVISIONS = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
each_revision = pytest.mark.parametrize("script", REVISIONS, ids=lambda script: Path(script.path).stem)


def calls(node: ast.AST) -> list[tuple[str, str]]:
    """Who is called in this code: ("op", "create_table"), ("batch", "add_column"), …"""
    return [
        (ast.unparse(call.func.value), call.func.attr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    ]


def module(script: Script) -> ast.Module:
    return ast.parse(Path(script.path).read_text())


def function(script: Script, name: str) -> ast.FunctionDef:
    return next(node for node in module(script).body if isinstance(node, ast.FunctionDef) and node.name == name)


def schema_operations(node: ast.AST) -> list[str]:
    return [name for _, name in calls(node) if name in SCHEMA]


def changes_data(node: ast.AST) -> bool:
    # Calling an inspector only reads, with any arguments.
    return any(
        name in DATA for owner, name in calls(node) if not (name == "get_bind" and "sa.inspect(" in ast.unparse(node))
    ) or any(isinstance(part, ast.ImportFrom) and "migrations" in (part.module or "") for part in ast.walk(node))


@each_revision
def test_a_revision_does_one_thing(script: Script) -> None:
    for name in ("upgrade", "downgrade"):
        operations = schema_operations(function(script, name))
        if script.revision == LEGACY_REVISION:
            assert set(operations) <= {"create_table"}
        elif "create_table" in operations:
            assert operations.count("create_table") == 1
            assert set(operations) <= {"create_table", "create_index"}
        else:
            assert len(set(operations)) <= 1


@each_revision
def test_schema_and_data_never_share_a_revision(script: Script) -> None:
    tree = module(script)
    assert not (schema_operations(tree) and changes_data(tree))


@each_revision
def test_constraints_are_changed_in_batch_mode_only(script: Script) -> None:
    assert not [name for owner, name in calls(module(script)) if owner == "op" and name in CONSTRAINTS]


@each_revision
def test_a_downgrade_works_or_says_why_it_does_nothing(script: Script) -> None:
    down = function(script, "downgrade")
    assert calls(down) or ast.get_docstring(down) or isinstance(down.body[-1], ast.Raise)


@each_revision
def test_old_revisions_do_not_depend_on_the_models(script: Script) -> None:
    imported = {node.module for node in ast.walk(module(script)) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"dispinmap.database.tables", "dispinmap.database.types"}


def test_the_chain_starts_at_production_and_passes_the_documented_revision() -> None:
    chain = [script.revision for script in reversed(REVISIONS)]
    assert chain[0] == LEGACY_REVISION
    assert UNIQUE_LOCATION_REVISION in chain
    assert [script.down_revision for script in reversed(REVISIONS)] == [None, *chain[:-1]]


def test_generated_revisions_do_not_depend_on_our_types(tmp_path: Path) -> None:
    engine = sync_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with engine.connect() as connection:
        options = {**COMPARISON, "sqlalchemy_module_prefix": "sa.", "alembic_module_prefix": "op."}
        context = MigrationContext.configure(connection, opts={**options, "target_metadata": Base.metadata})
        upgrades = produce_migrations(context, Base.metadata).upgrade_ops
        assert upgrades is not None
        code = render_python_code(
            upgrades, migration_context=context, render_as_batch=True, render_item=COMPARISON["render_item"]
        )
    engine.dispose()
    assert "sa.DateTime()" in code
    assert "dispinmap" not in code


def test_what_the_bot_reads_of_the_revisions_is_what_alembic_reads() -> None:
    assert revisions() == {script.revision: script.down_revision for script in REVISIONS}
    assert head() == scripts().get_current_head()
