"""The example notebook, run from top to bottom in a kernel of this environment, as its reader would."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "notebook-window.ipynb"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the cells of the notebook that has been run, and the folder in which that was."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
    return notebook.cells, folder


def shown(cell, kind):
    return [output.data[kind] for output in cell.get("outputs", []) if kind in output.get("data", {})]


def cell_with(cells, text):
    return next(cell for cell in cells if cell.cell_type == "code" and text in cell.source)


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_plan_report_and_picture_are_shown(run):
    cells, folder = run
    (plan,) = shown(cell_with(cells, "swath.plan("), "text/html")
    assert "/measurements/reflectance/r10m/b04" in plan
    (picture,) = shown(cell_with(cells, "Image("), "image/png")
    assert len(picture) > 1000
    assert (folder / "result" / "SHA256SUMS").is_file()


def test_a_run_shows_its_progress_and_then_its_report(run):
    progress, report = shown(cell_with(run[0], "swath.execute(job)"), "text/html")
    assert "<progress" in progress
    assert progress.endswith(" done</div>")
    assert "Slowest steps" in report
    assert "Chunks over time" in report


def test_a_run_that_fails_says_that_it_was_stopped(tmp_path):
    cells = [
        nbformat.v4.new_code_cell(
            "from swath.run._notebook import notebook_progress\n"
            "with notebook_progress() as tell:\n"
            "    tell('chunks', 3, 7)\n"
            "    raise ValueError\n"
        )
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True)
        client.execute(cwd=str(tmp_path))
    (progress,) = shown(notebook.cells[0], "text/html")
    assert 'value="3" max="7"' in progress
    assert progress.endswith(" stopped</div>")
