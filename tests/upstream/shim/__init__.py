"""urllib3's surface on top of the urlpool component: it translates, the component decides."""
