"""Which tests are quick: those of the theory and of pieces that do not train."""

import pytest

QUICK = (
    "tests/linmodel/test_asymptotics.py",
    "tests/linmodel/test_bounds.py",
    "tests/linmodel/test_central_flow.py",
    "tests/linmodel/test_closed_form.py",
    "tests/linmodel/test_data.py",
    "tests/linmodel/test_descent.py",
    "tests/linmodel/test_events.py",
    "tests/linmodel/test_files.py",
    "tests/linmodel/test_landscape.py",
    "tests/linmodel/test_problem.py",
    "tests/linmodel/test_public_names.py",
    "tests/linmodel/test_reduction.py",
    "tests/linmodel/test_store.py",
    "tests/proofs_check/test_certificates.py",
    "tests/proofs_check/test_planted.py",
    "tests/realnet/test_bridge_reading.py",
    "tests/realnet/test_bridge_pair.py",
    "tests/realnet/test_datasets.py",
    "tests/realnet/test_datasets_folder.py",
    "tests/realnet/test_interventions.py",
    "tests/realnet/test_optimisers.py",
    "tests/realnet/test_signals_described.py",
    "tests/realnet/test_signals_graded.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them `quick`: make quick runs them in under a minute."""
    for item in items:
        if item.nodeid.startswith(QUICK):
            item.add_marker(pytest.mark.quick)
