"""pytest plugins that let urllib3's own tests judge the component; run.py says which of them a run gets."""
